"""While a new database password waits: who has which, and what signs in with it?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supaplane_contract import from_secret_data
from supaplane_contract.rotation import pending_key
from supaplane_contract.spec import ComponentName
from supaplane_operator.render import PASSWORD_CHECK, Rendered, RenderInput, project, scram

from .reach import allowed

MakeInput = Callable[..., RenderInput]
NEW = "chosen-by-a-person: ' $ %"


@pytest.fixture
def waiting(credentials: Mapping[str, str]) -> dict[str, str]:
    """The credentials, with a password for postgres that the database has yet to take."""
    return {**credentials, pending_key("postgres"): NEW}


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(m for m in rendered.manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


def checks(rendered: Rendered) -> list[dict[str, Any]]:
    return [m for m in rendered.manifests if m["kind"] == "Job" and PASSWORD_CHECK in str(m)]


def inputs(rendered: Rendered) -> dict[str, dict[str, str]]:
    """What decides whether pods are replaced, by workload."""
    return {
        m["metadata"]["name"]: m["spec"]["template"]["metadata"]["annotations"]
        for m in rendered.manifests
        if m["kind"] in ("Deployment", "StatefulSet")
    }


def test_the_database_is_told_of_it_and_no_pod_is_replaced(
    make_input: MakeInput, credentials: Mapping[str, str], waiting: dict[str, str]
) -> None:
    before, now = project(make_input()), project(make_input(credentials=waiting))
    assert inputs(now) == inputs(before)
    verifiers = json.loads(from_secret_data(named(now, "Secret", "db"))["roles.json"])
    salt_key = credentials["pgsodium-root-key"]
    assert verifiers["postgres"] == scram.verifier(NEW, role="postgres", salt_key=salt_key)
    meta = from_secret_data(named(now, "Secret", "meta"))
    assert credentials["password-postgres"] in meta.values()


def test_a_job_signs_in_with_it_and_the_database_waits_for_the_job(
    make_input: MakeInput, waiting: dict[str, str]
) -> None:
    rendered = project(make_input(credentials=waiting))
    (job,) = checks(rendered)
    database = next(c for c in rendered.components if c.name is ComponentName.DB)
    assert database.jobs == ((job["metadata"]["name"], PASSWORD_CHECK),)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == database.image
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert NEW not in json.dumps(job)
    assert from_secret_data(named(rendered, "Secret", "db-password-check")) == {"postgres": NEW}
    may = {edge for edge in allowed(rendered, [5432]) if edge[0] == PASSWORD_CHECK}
    assert may == {(PASSWORD_CHECK, "db", 5432)}


def test_another_password_is_another_job(make_input: MakeInput, waiting: dict[str, str]) -> None:
    (one,) = checks(project(make_input(credentials=waiting)))
    other = {**waiting, pending_key("postgres"): "another"}
    (two,) = checks(project(make_input(credentials=other)))
    assert one["metadata"]["name"] != two["metadata"]["name"]


def test_without_one_and_while_paused_there_is_no_job(
    make_input: MakeInput, waiting: dict[str, str]
) -> None:
    for rendered in (
        project(make_input()),
        project(make_input({"desiredState": "Paused"}, credentials=waiting)),
    ):
        assert checks(rendered) == []
        assert "db-password-check" not in {m["metadata"]["name"] for m in rendered.manifests}
