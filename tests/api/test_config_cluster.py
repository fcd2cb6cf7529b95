"""Configuration on a real API server: its schema, its rules, and who owns which field."""

import base64
import json

import pytest

from supaplane_contract import names

from .test_cluster import create, organization, platform, sign_in

pytestmark = pytest.mark.cluster
__all__ = ["platform"]
MAIL = {
    "SMTP_HOST": "mail.example.org",
    "SMTP_PORT": "2525",
    "SMTP_USER": "shop",
    "SMTP_PASS": "hush",
    "SMTP_ADMIN_EMAIL": "shop@example.org",
}


@pytest.fixture
def shop(platform):
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    made = create(client, organization(client)["slug"]).raise_for_status().json()
    return client, made["ref"]


def spec_of(platform):
    return platform.resources()[0]["spec"]


def said(value):
    """A spec without maps that say nothing."""
    if not isinstance(value, dict):
        return value
    parts = {key: said(part) for key, part in value.items()}
    return {key: part for key, part in parts.items() if part != {}}


def apply_as_gitops(platform, ref, spec):
    manifest = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": ref, "namespace": platform.namespace},
        "spec": spec,
    }
    arguments = ("apply", "--server-side", "--field-manager=argocd", "-f", "-")
    platform.cluster.kubectl(*arguments, input=json.dumps(manifest))


def deploy(client, ref, slug):
    return client.post(
        f"/v1/projects/{ref}/functions/deploy?slug={slug}",
        data={"metadata": '{"entrypoint_path": "index.ts"}'},
        files=[("file", ("index.ts", b"Deno.serve(() => new Response())"))],
    )


def test_what_is_set_and_taken_back_leaves_the_resource_as_it_was(platform, shop):
    client, ref = shop
    before = spec_of(platform)
    auth = f"/platform/auth/{ref}/config"
    change = {**MAIL, "EXTERNAL_GITHUB_SECRET": "hush too", "SESSIONS_TIMEBOX": 24, "JWT_EXP": 600}
    answer = client.patch(auth, json=change)
    assert answer.status_code == 200, answer.text
    assert spec_of(platform)["auth"]["smtp"]["port"] == 2525
    (secret,) = [
        one
        for one in platform.resources("secrets")
        if one["metadata"]["name"] == names.auth_secret(ref)
    ]
    kept = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert kept == {"smtp_pass": "hush", "external_github_secret": "hush too"}
    assert client.patch(auth, json=answer.json()).json() == answer.json()
    parameters = f"/v1/projects/{ref}/config/database/postgres"
    assert client.patch(parameters, json={"work_mem": "16MB"}).json()["work_mem"] == "16MB"
    rest = f"/platform/projects/{ref}/config/postgrest"
    assert client.patch(rest, json={"db_schema": ""}).status_code == 200
    assert spec_of(platform)["rest"]["enabled"] is False
    answers = [
        client.patch(auth, json=dict.fromkeys(change)),
        client.put(parameters, json={}),
        client.patch(rest, json={"db_schema": "public,graphql_public"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert said(spec_of(platform)) == said(before)
    assert len(platform.resources("secrets")) == 1  # the master Secret


def test_of_lists_and_maps_only_what_gitops_set_is_theirs(platform, shop):
    client, ref = shop
    theirs = {
        "auth": {"settings": {"password_min_length": "10"}},
        "functions": {"sources": [{"name": "theirs", "secret": "theirs"}]},
    }
    apply_as_gitops(platform, ref, theirs)
    auth = f"/platform/auth/{ref}/config"
    refused = [
        client.patch(auth, json={"PASSWORD_MIN_LENGTH": 12}),
        deploy(client, ref, "theirs"),
        client.delete(f"/v1/projects/{ref}/functions/theirs"),
    ]
    assert [answer.status_code for answer in refused] == [409] * 3
    assert all("argocd" in answer.json()["message"] for answer in refused)
    assert client.patch(auth, json={"SMS_OTP_LENGTH": 8}).status_code == 200
    assert deploy(client, ref, "ours").status_code == 201, "a line beside theirs"
    secrets = f"/v1/projects/{ref}/secrets"
    assert client.post(secrets, json=[{"name": "A", "value": "1"}]).status_code == 201
    apply_as_gitops(platform, ref, theirs)
    spec = spec_of(platform)
    assert sorted(source["name"] for source in spec["functions"]["sources"]) == ["ours", "theirs"]
    assert spec["auth"]["settings"] == {"password_min_length": "10", "sms_otp_length": "8"}
    environment = [{"name": names.functions_environment_secret(ref)}]
    assert spec["functions"]["extraEnvFrom"] == environment


def test_a_list_that_gitops_owns_as_a_whole_is_not_added_to(platform, shop):
    client, ref = shop
    apply_as_gitops(platform, ref, {"functions": {"extraEnvFrom": [{"name": "theirs"}]}})
    answer = client.post(f"/v1/projects/{ref}/secrets", json=[{"name": "A", "value": "1"}])
    assert answer.status_code == 409
    assert "argocd" in answer.json()["message"]
