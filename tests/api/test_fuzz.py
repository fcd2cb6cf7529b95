"""Every operation is fed what its own description allows, and much that it does not.

Against a server on a socket, with a real token of each role: no hang, no answer that is not
described, no 5xx but the described 501 and 503, and every answer of the described shape. What is
served at the root and below /platform is one route, and fuzzed once.
"""

import os
import subprocess
import sys
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from supaplane_api import embedded_postgres
from supaplane_api.access import Role
from supaplane_api.documents import application

ACCOUNT = {"email": "fuzz@example.org", "password": "plum kettle orbit 47"}
LEAVER = ACCOUNT | {"email": "leaver@example.org"}
MEMBERS = {
    role: ACCOUNT | {"email": f"{role.lower()}@example.org"}
    for role in Role
    if role is not Role.OWNER
}

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 6
SECONDS = 60
DOCUMENTED_TROUBLE = {501, 503}
DOCUMENT = application().openapi()
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(
    func=lambda context: f"/platform{context.operation.path}" in DOCUMENT["paths"]
)


@dataclass
class Target:
    """A server with an organization, a member of each role, and three projects."""

    url: str
    client: httpx.Client
    slug: str
    refs: list
    tokens: list = field(default_factory=list)
    """Of the members who are not the owner."""
    reached: dict = field(default_factory=lambda: defaultdict(set))
    """Statuses by operation."""

    def token(self, account):
        answer = self.client.post("/auth/token?grant_type=password", json=account)
        return answer.raise_for_status().json()["access_token"]


@pytest.fixture(scope="module")
def target(postgres, template):
    name = "fuzzed"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    database = postgres.replace(f"/{embedded_postgres.DATABASE}?", f"/{name}?")
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "serve_on_memory.py")],
        env=os.environ | {"DATABASE_URL": database},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with httpx.Client(base_url=url, timeout=SECONDS) as client:
            made = filled(url, client)
            join(database, made)
            yield made
            hollow = [
                of
                for of, seen in made.reached.items()
                if min(seen) >= 400 and not seen & DOCUMENTED_TROUBLE
            ]
            assert {of: made.reached[of] for of in hollow if expected(of)} == {}
    finally:
        server.communicate(timeout=60)
    assert server.returncode == 0


def expected(operation):
    """Whether some request must have got through; what has an id of its own is not made here."""
    others = operation.replace("{ref}", "").replace("{slug}", "")
    made = operation.endswith("/custom-hostname")  # no project has one before it is given one
    return operation.startswith("GET") and "{" not in others and not made


def filled(url, client):
    for account in (ACCOUNT, LEAVER, *MEMBERS.values()):
        client.post("/platform/signup", json=account).raise_for_status()
    target = Target(url, client, "", [])
    client.headers["Authorization"] = f"Bearer {target.token(ACCOUNT)}"
    organization = client.post("/platform/organizations", json={"name": "Acme"}).json()
    target.slug = organization["slug"]
    for name in ("one", "two", "one to delete"):
        body = {"name": name, "organization_slug": target.slug, "db_pass": "violet-harbor-92-sad"}
        made = client.post("/platform/projects", json=body).raise_for_status().json()
        target.refs.append(made["ref"])
    return target


def join(database, target):
    """Makes the others members; they are invited by mail otherwise."""
    with psycopg.connect(database, autocommit=True) as connection:
        for role, account in MEMBERS.items():
            connection.execute(
                "INSERT INTO organization_membership"
                " (organization_id, account_id, role, created_at)"
                " SELECT o.id, a.id, %s, now() FROM organizations o, accounts a"
                " WHERE o.slug = %s AND a.email = %s",
                (role.value, target.slug, account["email"]),
            )
            target.tokens.append(target.token(account))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_its_operation(target, case):
    turn = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode())
    reached = target.reached[case.operation.label]
    answered = min(reached, default=500) < 400
    if turn % 3 or not answered:  # else with whatever was made up
        deletes = case.operation.label.endswith("/projects/{ref}") and case.method == "DELETE"
        known = {"slug": target.slug, "ref": target.refs[2 if deletes else turn % 2]}
        case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
    headers = {"Authorization": target.client.headers["Authorization"]}
    if answered:  # others only once the owner has reached it: some have but one request
        others = [None, *target.tokens]
        token = others[turn // 8 % len(others)]
        if turn // 2 % 2:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
    if case.path.endswith("/logout"):  # of a session that may end
        headers = {"Authorization": f"Bearer {target.token(LEAVER)}"}
    response = case.call(base_url=target.url, headers=headers, timeout=SECONDS)
    if response.text == "Invalid HTTP request received.":
        return  # told by the server: it never became a request
    reached.add(response.status_code)
    trouble = [] if response.status_code in DOCUMENTED_TROUBLE else [not_a_server_error]
    case.validate_response(response, checks=CHECKS + trouble)
