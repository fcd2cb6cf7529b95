"""Images without Docker: what is in them, and that the same input is the same image."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster.errors import CannotBuild
from supaplane_devcluster.images import (
    Config,
    File,
    Folder,
    Images,
    Layer,
    Link,
    Program,
    Recipe,
    Text,
    Tree,
    content,
    libraries,
    write_archive,
)
from supaplane_devcluster.images.sources import Local, Place


def tar_of(layer: Layer) -> tarfile.TarFile:
    written = io.BytesIO()
    layer.write(written)
    written.seek(0)
    return tarfile.open(fileobj=written)


def filled(*items: content.Item, folder: Path = Path("/nowhere")) -> Layer:
    layer = Layer()
    for item in items:
        content.fill(layer, item, {"here": Place(folder)})
    return layer


def image(path: Path) -> tuple[dict[str, Any], list[tarfile.TarFile], list[str]]:
    """Configuration, layers, references."""
    with tarfile.open(path) as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(read("manifest.json"))
        described = json.loads(read(manifest["Config"]))
        raw = [read(name) for name in manifest["Layers"]]
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in raw]
    assert described["rootfs"]["diff_ids"] == digests
    return described, [tarfile.open(fileobj=io.BytesIO(x)) for x in raw], manifest["RepoTags"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    (made / "deep" / "deeper").mkdir(parents=True)
    (made / "deep" / "deeper" / "a.txt").write_text("a")
    (made / "deep" / "left-out.map").write_text("b")
    (made / "deep" / "link").symlink_to("deeper/a.txt")
    (made / "run").write_text("#!/bin/sh\n")
    (made / "run").chmod(0o700)
    return made


def test_every_entry_has_its_mode_owner_and_kind(folder: Path) -> None:
    tar = tar_of(
        filled(
            Folder("/data", 0o700, owner=999),
            Text("/etc/words", "hello\n"),
            Link("/bin", "usr/bin"),
            File("here:run", "/usr/bin/run", 0o755),
            folder=folder,
        )
    )
    data, words, link, run = (tar.getmember(n) for n in ("data", "etc/words", "bin", "usr/bin/run"))
    assert (data.isdir(), data.mode, data.uid, data.gid) == (True, 0o700, 999, 999)
    assert (words.mode, words.uid) == (0o644, 0)
    assert (link.issym(), link.linkname) == (True, "usr/bin")
    assert run.mode == 0o755
    assert tar.getmember("usr/bin").isdir(), "folders above are there too"


def test_the_same_content_is_the_same_layer_whenever_and_by_whomever_it_was_written(
    folder: Path,
) -> None:
    def written() -> bytes:
        file = io.BytesIO()
        filled(Tree("here:deep", "/srv"), Text("/a", "a"), folder=folder).write(file)
        return file.getvalue()

    before = written()
    (folder / "deep" / "deeper" / "a.txt").touch()
    assert written() == before


def test_a_file_that_only_its_owner_may_read_is_readable_in_the_image(folder: Path) -> None:
    layer = filled(File("here:run", "/run-me"), folder=folder)
    assert layer.entries["/run-me"].mode == 0o755


def test_a_tree_keeps_its_links_and_leaves_out_what_it_is_told_to(folder: Path) -> None:
    tar = tar_of(filled(Tree("here:deep", "/srv", without=(".map",)), folder=folder))
    assert [m.name for m in tar] == ["srv", "srv/deeper", "srv/deeper/a.txt", "srv/link"]
    assert tar.getmember("srv/link").linkname == "deeper/a.txt"


def test_an_upper_layer_does_not_change_the_folders_of_a_lower_one() -> None:
    lower = filled(Folder("/tmp", 0o1777), Text("/etc/same", "same"))
    upper = filled(Text("/tmp/x", "x"), Text("/etc/same", "same"), Text("/etc/other", "other"))
    assert sorted(upper.above(lower).entries) == ["/etc/other", "/tmp/x"]


def test_a_program_brings_the_libraries_that_it_needs() -> None:
    python = Path(sys.executable).resolve()
    layer = filled(Program(f"here:{python.name}", "/usr/bin/python"), folder=python.parent)
    assert layer.has("/usr/bin/python")
    assert any("libc.so" in path for path in layer.entries)
    assert not any(path.startswith("/lib") for path in layer.entries), "/lib is a link in images"


def test_a_library_that_is_nowhere_is_named() -> None:
    said = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibodd.so.3 => not found\n"
    with pytest.raises(CannotBuild, match=r"/bin/odd needs libodd\.so\.3"):
        libraries.parse(said, Path("/bin/odd"))


def test_libraries_are_found_in_what_the_loader_says() -> None:
    said = (
        "\tlinux-vdso.so.1 (0x00007ffc)\n"
        "\tlibtinfo.so.6 => /lib/x86_64-linux-gnu/libtinfo.so.6 (0x00007f1)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n"
    )
    found = libraries.parse(said, Path("/bin/bash"))
    assert [libraries.place(path) for path in found] == [
        "/usr/lib/x86_64-linux-gnu/libtinfo.so.6",
        "/usr/lib64/ld-linux-x86-64.so.2",
    ]
    below = Path("/cache/root/usr/lib/libx.so.1")
    assert libraries.place(below, [Path("/cache/root")]) == "/usr/lib/libx.so.1"


def test_the_archive_says_what_a_container_does(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    config = Config(entrypoint=("/x", "-v"), env={"A": "b"}, user="1000", folder="/srv")
    write_archive(path, "localhost/x:1", [filled(Text("/x", "x"))], config)
    described, layers, references = image(path)
    assert references == ["localhost/x:1"]
    assert described["config"]["Entrypoint"] == ["/x", "-v"]
    assert "A=b" in described["config"]["Env"]
    assert any(word.startswith("PATH=") for word in described["config"]["Env"])
    assert (described["config"]["User"], described["config"]["WorkingDir"]) == ("1000", "/srv")
    assert [layer.getnames() for layer in layers] == [["x"]]


def of_folder(folder: Path, text: str = "x") -> Recipe:
    return Recipe("test", ((Text("/a", text), Tree("s:", "/s")),), {"s": Local(folder)})


def test_an_image_is_made_once_and_again_when_a_source_changes(
    folder: Path, tmp_path: Path
) -> None:
    said: list[str] = []

    def built(recipe: Recipe) -> Path:
        return Images([recipe], cache=tmp_path / "cache", say=said.append).build("test")

    first = built(of_folder(folder))
    made = first.stat().st_mtime_ns
    assert built(of_folder(folder)) == first
    assert first.stat().st_mtime_ns == made
    assert said == ["Making the image test."]

    (folder / "run").write_text("changed")
    second = built(of_folder(folder))
    assert second != first
    assert built(of_folder(folder, "other")) not in (first, second)


def test_an_image_does_not_depend_on_where_its_sources_lie(folder: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere", symlinks=True)
    images = [Images([of_folder(f)], cache=tmp_path / f.name) for f in (folder, elsewhere)]
    first, second = (each.build("test") for each in images)
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_of_old_states_a_few_are_kept(folder: Path, tmp_path: Path) -> None:
    for number in range(5):
        Images([of_folder(folder, str(number))], cache=tmp_path).build("test")
    assert len(list((tmp_path / "images").glob("test-*.tar"))) == 3


def test_an_unknown_image_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match=r"no image wrong; there are coredns, pause, tools"):
        Images(cache=tmp_path).build("wrong")


def test_a_file_that_a_source_lacks_is_named(folder: Path) -> None:
    with pytest.raises(CannotBuild, match="source here has no missing"):
        filled(File("here:missing", "/x"), folder=folder)
