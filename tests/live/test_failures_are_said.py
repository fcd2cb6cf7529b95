"""What is wrong with a project on a real node stands in its status, with the reason."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from supaplane_contract.status import Reason

from .platform import HOME, Platform
from .things import Project

MISSING = "docker.io/supabase/no-such-image:v0"


def said(platform: Platform, name: str, component: str) -> tuple[str | None, str]:
    """Reason and message of a component that is not ready."""
    found = platform.status(name).get("components") or []
    for status in found:
        if status["name"] == component:
            return status.get("reason"), status.get("message") or ""
    return None, ""


def until_said(platform: Platform, name: str, component: str, reason: Reason) -> str:
    """The message, once the reason is there."""
    platform.until(
        lambda: said(platform, name, component)[0] == reason,
        f"{component} of {name} says {reason}, not {said(platform, name, component)}",
    )
    return said(platform, name, component)[1]


def test_an_image_that_cannot_be_pulled_is_named_and_the_right_one_heals(
    platform: Platform, apply: Any, small: dict[str, Any]
) -> None:
    name = apply("unpulled", {**small, "images": {"rest": MISSING}})
    message = until_said(platform, name, "rest", Reason.IMAGE_PULL_FAILED)
    assert MISSING in message
    platform.patch(name, {"images": {"rest": None}})
    platform.until_phase(name, "ACTIVE_HEALTHY")


@pytest.mark.parametrize(
    ("resources", "reason", "words"),
    [
        ({"limits": {"memory": "16Mi"}, "requests": {"memory": "8Mi"}}, "OutOfMemory", "limit"),
        ({"requests": {"cpu": "900"}, "limits": {"cpu": "900"}}, "Unschedulable", "cpu"),
    ],
)
def test_resources_that_do_not_do_are_said(
    platform: Platform,
    apply: Any,
    small: dict[str, Any],
    resources: dict[str, Any],
    reason: str,
    words: str,
) -> None:
    name = apply(reason.lower(), {**small, "database": {"resources": resources}})
    message = until_said(platform, name, "db", Reason(reason))
    assert words in message


def test_a_volume_that_nobody_makes_is_said(
    platform: Platform, apply: Any, small: dict[str, Any]
) -> None:
    volume = {"storage": {"className": "nowhere"}}
    name = apply("no-volume", {**small, "database": volume})
    until_said(platform, name, "db", Reason.VOLUME_PENDING)


def test_a_setting_that_postgres_refuses_is_said_in_its_words_and_the_right_one_heals(
    platform: Platform, apply: Any, small: dict[str, Any]
) -> None:
    wrong = {"parameters": {"work_mem": "plenty"}}
    name = apply("refused", {**small, "database": wrong})
    message = until_said(platform, name, "db", Reason.CRASH_LOOP)
    assert "work_mem" in message
    platform.patch(name, {"database": {"parameters": {"work_mem": "8MB"}}})
    platform.until_phase(name, "ACTIVE_HEALTHY")


def test_a_probe_that_fails_is_said_and_clears_by_itself(platform: Platform, tiny: Project) -> None:
    (pod,) = platform.pods(tiny, "rest")
    frozen = processes_of(pod)
    assert frozen
    try:
        for number in frozen:
            os.kill(number, signal.SIGSTOP)
        assert "probe failed" in until_said(platform, tiny.name, "rest", Reason.PROBE_FAILING)
        platform.until_phase(tiny.name, "ACTIVE_UNHEALTHY")
    finally:
        for number in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
    platform.until_phase(tiny.name, "ACTIVE_HEALTHY")


def processes_of(pod: dict[str, Any]) -> list[int]:
    """Numbers, on this machine, of the processes of the pod's first container."""
    (container, *_) = pod["status"]["containerStatuses"]
    word = container["containerID"].removeprefix("containerd://")
    found = []
    for group in Path("/proc").glob("[0-9]*/cgroup"):
        with contextlib.suppress(OSError):
            if word in group.read_text():
                found.append(int(group.parent.name))
    return found


def test_a_quota_that_refuses_a_pod_is_said_and_clears_by_itself_when_it_is_gone(
    platform: Platform, tiny: Project
) -> None:
    own = f"/api/v1/namespaces/{tiny.namespace}"
    none = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    assert platform.kube(f"{own}/resourcequotas", "POST", none)
    try:
        (pod,) = platform.pods(tiny, "rest")
        platform.kube(f"{own}/pods/{pod['metadata']['name']}", "DELETE")
        message = until_said(platform, tiny.name, "rest", Reason.QUOTA_EXCEEDED)
        assert "none" in message
    finally:
        platform.kube(f"{own}/resourcequotas/none", "DELETE")
    platform.until_phase(tiny.name, "ACTIVE_HEALTHY")


def test_a_secret_that_is_referred_to_and_absent_is_said_and_the_project_goes_on_when_it_is_there(
    platform: Platform, tiny: Project
) -> None:
    def reasons() -> set[str]:
        return {c["reason"] for c in platform.status(tiny.name)["conditions"]}

    functions = {"enabled": True, "sources": [{"name": "late", "secret": "late"}]}
    platform.patch(tiny.name, {"functions": functions})
    secrets = f"/api/v1/namespaces/{HOME}/secrets"
    try:
        platform.until(lambda: Reason.SECRET_MISSING in reasons(), "it is said")
        code = {"metadata": {"name": "late"}, "stringData": {"index.ts": "Deno.serve(() => 1)"}}
        assert platform.kube(secrets, "POST", code)
        platform.until(lambda: len(platform.pods(tiny, "functions")) == 1, "it goes on")
    finally:
        platform.patch(tiny.name, {"functions": {"enabled": False, "sources": None}})
        platform.kube(f"{secrets}/late", "DELETE")
    platform.until_done(tiny.name)
    assert Reason.SECRET_MISSING not in reasons()
