"""The command line: words in, one call each, words out."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from . import cli_images, components, leftovers, logs, plan, preparation, processes
from .cluster import Cluster, all_clusters
from .errors import DevclusterError
from .options import ClusterOptions, NodeKind, parse_duration

DESCRIPTION = "A real Kubernetes on this machine, without Docker."


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except DevclusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="supaplane_devcluster", description=DESCRIPTION)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument(
        "--home", type=Path, help="where clusters are kept ($SUPAPLANE_HOME, else .supaplane)"
    )

    def add(name: str, summary: str, run: object) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[home], help=summary, description=summary)
        command.set_defaults(run=run)
        return command

    build_ = add("build", "compile the control plane, if it is not compiled yet", _build)
    _add_node(build_)
    _add_up(add("up", "make a cluster, or repair it; returns when it can be used", _up))
    down = add("down", "end all processes of a cluster and remove its folder", _down)
    down.add_argument("--all", action="store_true", help="every cluster here")
    down.add_argument(
        "--keep-data", action="store_true", help="so that `up` finds its objects again"
    )
    status = add("status", "what runs, where, and how much memory it takes", _status)
    kubeconfig = add("kubeconfig", "print the path of a cluster's kubeconfig", _kubeconfig)
    for command in (down, status, kubeconfig):
        _add_name(command)
    kubectl = add("kubectl", "run the cluster's own kubectl; all that follows is for it", _kubectl)
    kubectl.add_argument(
        "--cluster", dest="name", default="dev", help="which cluster (default: dev)"
    )
    kubectl.add_argument("words", nargs=argparse.REMAINDER, metavar="...")
    run = add("run", "run a program where it reaches pods and Services: [NAME] -- PROGRAM", _run)
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="[NAME] -- PROGRAM ...")
    cli_images.add(commands, home)
    log = add("logs", "print the log of a component", _logs)
    _add_name(log)
    log.add_argument("component", nargs="?", default=plan.API_SERVER)
    log.add_argument("-f", "--follow", action="store_true")
    for word, summary in ACTIONS.items():
        action = add(word, summary, _act)
        action.set_defaults(word=word)
        action.add_argument("component", choices=components.ALL)
        _add_name(action)
    add("check", "say what is left over here, and fail if anything is", _check)
    return top


def _add_node(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--node",
        choices=get_args(NodeKind),
        default="simulated",
        help="nodes that pretend to run pods (default), or one that runs them (root, Linux)",
    )


ACTIONS = {
    "start": "start a component again, on the same ports",
    "stop": "end a component in good order (SIGTERM)",
    "kill": "end a component at once (SIGKILL)",
    "pause": "make a component hang (SIGSTOP)",
    "resume": "let a paused component go on (SIGCONT)",
}


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", default="dev", help="which cluster (default: dev)")


def _add_up(command: argparse.ArgumentParser) -> None:
    _add_name(command)
    _add_node(command)
    command.add_argument("--nodes", type=int, default=3, help="how many simulated nodes (3)")
    for flag, summary in {
        "--pod-delay": "how long a pod takes to become Ready (0s)",
        "--pod-jitter": "up to this much is added, another for each pod (0s)",
        "--job-duration": "how long the pod of a Job runs (0s)",
    }.items():
        command.add_argument(flag, type=parse_duration, default=0.0, metavar="TIME", help=summary)
    command.add_argument(
        "--audit",
        nargs="?",
        const="writes",
        choices=["writes", "all"],
        help="log who did what, without contents: writes (default), or all requests",
    )
    command.add_argument(
        "--feature-gates", default="", metavar="NAME=true,...", help="for all Kubernetes components"
    )
    command.add_argument(
        "--foreground", action="store_true", help="stay, and take all down on Ctrl-C or SIGTERM"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _build(arguments: argparse.Namespace) -> None:
    print(preparation.everything(ClusterOptions(node=arguments.node), _say))


def _up(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.name, arguments.home, _options(arguments))
    if arguments.foreground:
        _foreground(cluster)
        return
    started = time.monotonic()
    cluster.up(_say)
    _say(f"Ready after {time.monotonic() - started:.1f} s.  {_how_to_use(cluster)}")


def _how_to_use(cluster: Cluster) -> str:
    if cluster.options.has_real_node:
        # Its network is its own: what connects with it has to be in there.
        return f"python -m supaplane_devcluster run {cluster.name} -- kubectl get pods -A"
    return f"export KUBECONFIG={cluster.kubeconfig}"


def _options(arguments: argparse.Namespace) -> ClusterOptions:
    return ClusterOptions(
        nodes=arguments.nodes,
        pod_delay=arguments.pod_delay,
        pod_jitter=arguments.pod_jitter,
        job_duration=arguments.job_duration,
        audit=arguments.audit,
        feature_gates=_gates(arguments.feature_gates),
        node=arguments.node,
    )


def _gates(text: str) -> dict[str, bool]:
    gates: dict[str, bool] = {}
    for item in filter(None, text.split(",")):
        name, _, value = item.partition("=")
        if value not in ("true", "false"):
            raise DevclusterError(f"--feature-gates: {item!r} should be NAME=true or NAME=false")
        gates[name] = value == "true"
    return gates


def _foreground(cluster: Cluster) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        cluster.up(_say)
        _say(f"{_how_to_use(cluster)}   (Ctrl-C takes the cluster down)")
        signal.pause()
    except KeyboardInterrupt:
        _say("Taking the cluster down.")
    finally:
        cluster.down()


def _down(arguments: argparse.Namespace) -> None:
    chosen = [Cluster(arguments.name, arguments.home)]
    if arguments.all:
        chosen = all_clusters(arguments.home)
    for cluster in chosen:
        there = cluster.layout.folder.exists()
        cluster.down(keep_data=arguments.keep_data)
        _say(
            f"Cluster {cluster.name!r} is down." if there else f"No cluster {cluster.name!r} here."
        )


def _status(arguments: argparse.Namespace) -> int:
    cluster = Cluster(arguments.name, arguments.home)
    missing = cluster.missing() if cluster.layout.state.exists() else "there is no such cluster"
    for name, process in cluster.status().items():
        if process is None:
            print(f"{name:25} down")
            continue
        memory = (processes.resident_kib(process) or 0) // 1024
        print(f"{name:25} pid {process.pid:<8} {memory:5} MiB")
    if missing:
        print(f"not usable: {missing}")
        return 1
    print(f"usable: {cluster.server}")
    return 0


def _kubeconfig(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.name, arguments.home)
    _ = cluster.server  # fails in words if there is none
    print(cluster.kubeconfig)


def _kubectl(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.name, arguments.home)
    command = [*cluster.kubectl_command(), *arguments.words]
    # In our place, so that it has the terminal, its signals and its exit code to itself.
    os.execvpe(command[0], command, os.environ | {"KUBECONFIG": str(cluster.kubeconfig)})


def _run(arguments: argparse.Namespace) -> None:
    words = arguments.words
    if "--" not in words[:2] or words[-1] == "--":
        raise DevclusterError("run [NAME] -- PROGRAM ...: the two dashes come before the program")
    end = words.index("--")
    cluster = Cluster(words[0] if end else "dev", arguments.home)
    command = [*cluster.run_command(), *words[end + 1 :]]
    try:
        os.execvpe(command[0], command, os.environ | {"KUBECONFIG": str(cluster.kubeconfig)})
    except FileNotFoundError:
        raise DevclusterError(f"there is no program {command[0]!r}") from None


def _logs(arguments: argparse.Namespace) -> None:
    # `logs COMPONENT` is the natural thing to type with only one cluster.
    if arguments.name in components.ALL:
        arguments.name, arguments.component = "dev", arguments.name
    path = Cluster(arguments.name, arguments.home).layout.log(arguments.component)
    with contextlib.suppress(BrokenPipeError):
        logs.show(path, sys.stdout, arguments.follow)


def _act(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.name, arguments.home)
    getattr(cluster, arguments.word)(arguments.component)


def _check(arguments: argparse.Namespace) -> int:
    found = leftovers.find(arguments.home)
    for line in found:
        print(line)
    return 1 if found else 0
