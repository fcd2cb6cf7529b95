"""The command lines of kind, against programs that only write down how they were called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from supaplane_devcluster import CommandFailed, NotRunning, build
from supaplane_devcluster.kind import KindCluster, docker_answers

KIND = """#!/bin/sh
echo "kind $*" >>"$TRACE"
case "$1 $2" in
"get clusters") cat "$PRESENT" 2>/dev/null ;;
"create cluster"|"export kubeconfig")
    test -e "$FAIL" && { echo "ERROR: it did not" >&2; exit 1; }
    for word; do case $word in --kubeconfig=*) echo config >"${word#--kubeconfig=}" ;; esac; done
    ;;
esac
exit 0
"""

GO = """#!/bin/sh
case $1 in
env) echo go1.99 ;;
install) echo "go $*" >>"$TRACE"; mkdir -p "$GOBIN"; cp "$KIND_SCRIPT" "$GOBIN/kind" ;;
esac
"""

Install = Callable[[str, str], None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("TRACE", "PRESENT", "FAIL"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv(build.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def install(name: str, script: str) -> None:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)

    return install


def trace(tmp_path: Path) -> list[str]:
    return (tmp_path / "trace").read_text().splitlines()


def test_up_makes_a_cluster_with_a_kubeconfig_of_its_own(programs: Install, tmp_path: Path) -> None:
    programs("kind", KIND)
    cluster = KindCluster("demo", home=tmp_path / "home")
    cluster.up()
    assert trace(tmp_path) == [
        "kind get clusters",
        f"kind create cluster --name=demo --kubeconfig={cluster.kubeconfig} --wait=180s",
    ]
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_up_of_a_present_cluster_only_asks_for_its_kubeconfig(
    programs: Install, tmp_path: Path
) -> None:
    programs("kind", KIND)
    (tmp_path / "present").write_text("other\ndemo\n")
    cluster = KindCluster("demo", home=tmp_path / "home")
    said: list[str] = []
    cluster.up(said.append)
    assert trace(tmp_path)[1:] == [
        f"kind export kubeconfig --name=demo --kubeconfig={cluster.kubeconfig}"
    ]
    assert said == ["Cluster 'demo' was running already."]


def test_down_deletes_it_and_its_folder(programs: Install, tmp_path: Path) -> None:
    programs("kind", KIND)
    cluster = KindCluster("demo", home=tmp_path / "home")
    cluster.up()
    (tmp_path / "present").write_text("demo\n")
    cluster.down()
    assert trace(tmp_path)[-1].startswith("kind delete cluster --name=demo ")
    assert not cluster.folder.exists()


def test_down_without_kind_has_nothing_to_do(programs: Install, tmp_path: Path) -> None:
    KindCluster("demo", home=tmp_path / "home").down()
    assert not (tmp_path / "trace").exists()


def test_a_failure_tells_what_kind_said_and_is_taken_down(
    programs: Install, tmp_path: Path
) -> None:
    programs("kind", KIND)
    (tmp_path / "fail").touch()
    cluster = KindCluster("demo", home=tmp_path / "home")
    with pytest.raises(CommandFailed, match="it did not"), cluster:
        raise AssertionError("it came up")
    assert not cluster.folder.exists()


def test_without_kind_it_is_compiled_into_the_cache(
    programs: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs("go", GO)
    source = tmp_path / "kind-script"
    source.write_text(KIND)
    source.chmod(0o755)
    monkeypatch.setenv("KIND_SCRIPT", str(source))
    KindCluster("demo", home=tmp_path / "home").up()
    assert trace(tmp_path)[0] == "go install sigs.k8s.io/kind@v0.33.0"
    assert trace(tmp_path)[-1].startswith("kind create cluster")


def test_kubectl_uses_the_kubeconfig_of_the_cluster(programs: Install, tmp_path: Path) -> None:
    programs("kind", KIND)
    programs("kubectl", '#!/bin/sh\necho "$KUBECONFIG $*"; cat; exit 3')
    cluster = KindCluster("demo", home=tmp_path / "home")
    with pytest.raises(NotRunning):
        cluster.kubectl("get", "pods")
    cluster.up()
    answer = cluster.kubectl("apply", "-f", "-", input="text", check=False)
    assert answer.stdout == f"{cluster.kubeconfig} apply -f -\ntext"
    with pytest.raises(CommandFailed, match="kubectl get"):
        cluster.kubectl("get", "pods")


@pytest.mark.parametrize(
    ("script", "answers"),
    [
        ("#!/bin/sh\necho 29.1.0", True),
        ("#!/bin/sh\necho; echo no daemon >&2; exit 1", False),
        ("#!/bin/sh\nexit 0", False),
        ("#!/bin/sh\nexec sleep 60", False),
    ],
)
def test_docker_answers_only_where_an_engine_does(
    programs: Install, script: str, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supaplane_devcluster.kind.ANSWER_TIMEOUT", 0.5)
    programs("docker", script)
    assert docker_answers() is answers


def test_without_a_docker_client_nothing_answers(
    programs: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert not docker_answers()
