"""Does the database's volume survive what can happen before the server starts?"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

SCRIPT = Path(str(resources.files("supaplane_operator.render.bootstrap") / "prepare.sh"))
MINTED = "ab" * 32
OWNER = f"{pwd.getpwuid(os.getuid()).pw_name}:{grp.getgrgid(os.getgid()).gr_name}"


@dataclass(frozen=True)
class Volume:
    """A volume, the image's own folder, and the script to run on them."""

    root: Path
    shipped: Path
    run: Callable[[], subprocess.CompletedProcess[str]]

    @property
    def key(self) -> Path:
        return self.root / "custom" / "pgsodium_root.key"

    def initialise(self) -> None:
        """What the image's first start leaves, and the bootstrap after it."""
        (self.root / "data" / "PG_VERSION").write_text("17\n")
        (self.root / "initialising").unlink()


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    shipped = tmp_path / "image"
    (shipped / "conf.d").mkdir(parents=True)
    (shipped / "supautils.conf").write_text("reserved_roles = 'new'\n")
    (shipped / "conf.d" / "shipped.conf").write_text("# new\n")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    postgres = binaries / "postgres"
    postgres.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.6 (Ubuntu)'\n")
    postgres.chmod(0o755)
    minted = tmp_path / "minted"
    minted.write_text(MINTED)
    root = tmp_path / "volume"
    root.mkdir()
    environment = {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "SUPAPLANE_VOLUME": str(root),
        "SUPAPLANE_SHIPPED": str(shipped),
        "SUPAPLANE_KEY": str(minted),
        "SUPAPLANE_OWNER": OWNER,
    }

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
        )

    return Volume(root, shipped, run)


def test_a_fresh_volume_gets_the_images_files_and_the_minted_key(volume: Volume) -> None:
    assert volume.run().returncode == 0
    assert (volume.root / "custom" / "supautils.conf").read_text() == "reserved_roles = 'new'\n"
    assert (volume.root / "custom" / "conf.d" / "shipped.conf").exists()
    assert volume.key.read_text() == MINTED
    assert stat.S_IMODE(volume.key.stat().st_mode) == 0o600
    assert list((volume.root / "data").iterdir()) == []


def test_a_second_start_changes_nothing(volume: Volume) -> None:
    volume.run()
    volume.initialise()
    (volume.root / "data" / "precious").write_text("rows")
    assert volume.run().returncode == 0
    assert (volume.root / "data" / "precious").read_text() == "rows"
    assert not (volume.root / "initialising").exists()
    assert sorted(p.name for p in volume.root.iterdir()) == ["custom", "data"]


def test_the_key_on_the_volume_is_never_replaced(volume: Volume) -> None:
    volume.run()
    volume.key.write_text("cd" * 32)
    (volume.shipped / "pgsodium_root.key").write_text("ef" * 32)
    answer = volume.run()
    assert answer.returncode == 0
    assert volume.key.read_text() == "cd" * 32
    assert "kept" in answer.stdout
    for secret in (MINTED, "cd" * 32):
        assert secret not in answer.stdout + answer.stderr


def test_a_key_among_the_data_is_the_one_that_opens_them(volume: Volume) -> None:
    data = volume.root / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    (data / "pgsodium_root.key").write_text("99" * 32)
    assert volume.run().returncode == 0
    assert volume.key.read_text() == "99" * 32


def test_a_newer_image_brings_its_files_and_leaves_those_of_people(volume: Volume) -> None:
    volume.run()
    volume.initialise()
    (volume.root / "custom" / "conf.d" / "mine.conf").write_text("work_mem = '64MB'\n")
    (volume.root / "custom" / "supautils.conf").chmod(0o444)
    (volume.shipped / "supautils.conf").write_text("reserved_roles = 'newer'\n")
    assert volume.run().returncode == 0
    assert "newer" in (volume.root / "custom" / "supautils.conf").read_text()
    assert (volume.root / "custom" / "conf.d" / "mine.conf").exists()


@pytest.mark.parametrize("reached", ["base", "PG_VERSION"])
def test_a_first_start_that_was_cut_off_begins_anew_and_loses_nothing(
    volume: Volume, reached: str
) -> None:
    volume.run()
    (volume.root / "data" / reached).write_text("17\n")
    assert volume.run().returncode == 0
    assert list((volume.root / "data").iterdir()) == []
    assert (volume.root / "data.incomplete-1" / reached).exists()
    assert (volume.root / "initialising").exists()


def test_a_database_that_was_used_is_never_set_aside(volume: Volume) -> None:
    """The mark is gone as soon as the bootstrap reached the server, before anybody could."""
    volume.run()
    volume.initialise()
    for _ in range(3):
        assert volume.run().returncode == 0
    assert (volume.root / "data" / "PG_VERSION").exists()


def test_a_volume_from_elsewhere_is_used_as_it_is(volume: Volume) -> None:
    data = volume.root / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    assert volume.run().returncode == 0
    assert (data / "PG_VERSION").exists()
    assert not (volume.root / "initialising").exists()


def test_after_three_failed_first_starts_it_says_what_to_do(volume: Volume) -> None:
    for _ in range(3):
        assert volume.run().returncode == 0
        (volume.root / "data" / "base").write_text("")
    volume.run()
    (volume.root / "data" / "base").write_text("")
    answer = volume.run()
    assert answer.returncode != 0
    assert "did not finish" in answer.stdout
    assert "remove" in answer.stdout


def test_another_major_version_is_refused_before_it_can_do_harm(volume: Volume) -> None:
    volume.run()
    volume.initialise()
    (volume.root / "data" / "PG_VERSION").write_text("15\n")
    answer = volume.run()
    assert answer.returncode != 0
    assert "PostgreSQL 15" in answer.stdout
    assert "PostgreSQL 17" in answer.stdout
    assert (volume.root / "data" / "PG_VERSION").read_text() == "15\n"
