"""The command line, as far as it needs no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from supaplane_devcluster import cli, logs
from supaplane_devcluster.options import ClusterOptions

WORDS = (
    *("build", "kubectl", "up", "down", "status", "kubeconfig", "logs", "check"),
    *("start", "stop", "kill", "pause", "resume", "run", "images"),
)


@pytest.mark.parametrize("word", WORDS)
def test_every_command_explains_itself(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([word, "--help"])
    assert ended.value.code == 0
    assert "usage: supaplane_devcluster" in capsys.readouterr().out


def test_options_of_up_are_the_options_of_a_cluster() -> None:
    flags = ["--nodes=5", "--pod-delay=250ms", "--audit", "--feature-gates=A=true,B=false"]
    words = ["up", "x", *flags]
    arguments = cli.parser().parse_args(words)
    assert cli._options(arguments) == ClusterOptions(
        nodes=5, pod_delay=0.25, audit="writes", feature_gates={"A": True, "B": False}
    )


@pytest.mark.parametrize(
    "words", [["up", "UP"], ["up", "--feature-gates", "A"], ["run", "dev"], ["run", "dev", "ls"]]
)
def test_a_mistake_is_one_line_and_no_traceback(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([words[0], "--home", str(tmp_path), *words[1:]]) == 1
    assert capsys.readouterr().err.startswith("devcluster: ")


@pytest.mark.parametrize(
    "words",
    [
        ["kubeconfig"],
        ["run", "--", "true"],
        ["run", "x", "--", "true"],
        ["kill", "etcd"],
        ["start", "etcd", "nope"],
        ["logs"],
    ],
)
def test_a_cluster_that_is_not_there_is_said_and_not_made(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([words[0], "--home", str(tmp_path), *words[1:]]) == 1
    assert "there is no" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_status_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--home", str(tmp_path)]) == 1
    assert "there is no such cluster" in capsys.readouterr().out


def test_down_of_nothing_is_no_error(tmp_path: Path) -> None:
    assert cli.main(["down", "--home", str(tmp_path)]) == 0
    assert cli.main(["down", "--all", "--home", str(tmp_path)]) == 0


def test_check_finds_a_folder_that_was_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", "--home", str(tmp_path)]) == 0
    (tmp_path / "clusters" / "dev").mkdir(parents=True)
    assert cli.main(["check", "--home", str(tmp_path)]) == 1
    assert "dev: folder" in capsys.readouterr().out


def test_a_log_is_printed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text("a\n" * 100_000)
    with (tmp_path / "out").open("w") as out:
        logs.show(tmp_path / "log", out, follow=False)
    assert (tmp_path / "out").read_text() == "a\n" * 100_000


def test_a_real_node_without_root_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert cli.main(["up", "--node", "real", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--node simulated" in said
    assert not list(tmp_path.iterdir())
