"""What does a real API server make of specs that are good: defaults, words of people, amounts?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from supaplane_contract import ProjectSpec, from_manifest, quantities, spec_to_manifest
from supaplane_devcluster import Cluster
from supaplane_kube import resources

pytestmark = pytest.mark.cluster

BUCKET = {"endpoint": "https://s3.example.org", "bucket": "shop", "credentialsSecret": "s3"}

TAKEN: dict[str, dict[str, Any]] = {
    "nothing at all": {},
    "a ref": {"ref": "abcdefghijklmnopqrst"},
    "hosts": {"host": "api.example.org", "customDomains": ["a.b.org", "xn--bcher-kva.example"]},
    "cores as a number": {"rest": {"resources": {"limits": {"cpu": 2, "memory": "1Gi"}}}},
    "fractions": {"rest": {"resources": {"requests": {"cpu": "0.25"}, "limits": {"cpu": "1.5"}}}},
    "bytes": {"rest": {"resources": {"limits": {"memory": 536870912}}}},
    "scaling": {"rest": {"autoscaling": {"maxReplicas": 3}}},
    "https by a Secret": {"ingress": {"tls": {"enabled": True, "secretName": "cert"}}},
    "https by an issuer": {"ingress": {"tls": {"enabled": True, "issuerRef": {"name": "le"}}}},
    "a Gateway": {"ingress": {"kind": "HTTPRoute", "parentRefs": [{"name": "public"}]}},
    "a bucket": {"storage": {"backend": "s3", "s3": BUCKET}},
    "files in one pod": {"storage": {"backend": "file", "replicas": 1}},
    "backups": {"backup": {"schedule": "0 3 * * 1-5", "s3": BUCKET}},
    "backups by name": {"backup": {"schedule": "@daily", "s3": BUCKET}},
    "an undelete window": {"deletion": {"policy": "Delete", "undeleteWindowHours": 72}},
    "a restart": {"operation": {"id": "1", "kind": "restart"}},
    "a new JWT secret": {"operation": {"id": "1", "kind": "rotateJwtSecret"}},
    "a JWT secret of one's own": {
        "operation": {
            "id": "1",
            "kind": "rotateJwtSecret",
            "parameters": {"secretName": "mine", "secretKey": "key"},
        }
    },
    "new passwords for two": {
        "operation": {
            "id": "1",
            "kind": "rotateDatabasePassword",
            "parameters": {"roles": "postgres,pgbouncer"},
        }
    },
    "a restart of two": {
        "operation": {"id": "1", "kind": "restart", "parameters": {"components": "auth,rest"}}
    },
    "mail": {
        "auth": {
            "smtp": {
                "host": "smtp.example.org",
                "user": "shop",
                "passwordRef": {"name": "smtp", "key": "password"},
                "adminEmail": "shop+auth@example.org",
            },
            "settings": {"password_min_length": "10"},
            "secretRefs": {"external_google_secret": {"name": "google", "key": "secret"}},
            "additionalRedirectUrls": ["https://*.example.org/**", "shop://back"],
        }
    },
    "both families of addresses": {
        "database": {"external": {"allowedCidrs": ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"]}}
    },
    "an image by digest": {"images": {"db": "r.example.org:5000/a/b:1.2@sha256:" + "0" * 64}},
    "parameters": {"database": {"parameters": {"work_mem": "16MB", "pg_stat.max": "1 %"}}},
}


@pytest.mark.parametrize("spec", TAKEN.values(), ids=list(TAKEN))
async def test_what_is_good_is_taken_and_read_back_as_it_was_meant(
    server: Any, spec: dict[str, Any]
) -> None:
    project = from_manifest(await server.create(spec))
    assert project.spec == ProjectSpec.model_validate(spec)
    assert project.unknown_fields == ()


async def test_defaults_are_filled_in_by_the_server_for_all_to_see(server: Any) -> None:
    made = await server.create({})
    assert made["spec"] == {
        "region": "local",
        "size": "nano",
        "desiredState": "Running",
        "gateway": {"kind": "envoy"},
        "database": {"version": "17", "storage": {}, "external": {"enabled": False}},
        "auth": {
            "disableSignup": False,
            "jwtExpirySeconds": 3600,
            "enableEmailSignup": True,
            "enablePhoneSignup": False,
            "enableAnonymousSignIns": False,
        },
        "rest": {
            "schemas": ["public", "graphql_public"],
            "extraSearchPath": ["public", "extensions"],
            "maxRows": 1000,
        },
        "storage": {
            "backend": "objectstore",
            "volume": {},
            "fileSizeLimit": 52428800,
            "imageTransformation": True,
        },
        "objectstore": {"engine": "minio", "volume": {}},
        "functions": {"verifyJwt": True},
        "pooler": {"poolMode": "transaction", "external": {"enabled": False}},
        "backup": {"retentionDays": 7},
        "network": {"restrict": True, "egressAllowed": True},
        "deletion": {"policy": "Retain", "protection": False, "undeleteWindowHours": 0},
    }


def test_a_project_without_a_spec_is_one_with_defaults(devcluster: Cluster, namespace: str) -> None:
    body = {
        "apiVersion": "supaplane.dev/v1alpha1",
        "kind": "SupabaseProject",
        "metadata": {"name": "without-spec", "namespace": namespace},
    }
    asked = ("create", "-o", "json", "-f", "-")
    made = json.loads(devcluster.kubectl(*asked, input=json.dumps(body)).stdout)
    assert from_manifest(made).spec == ProjectSpec()
    assert made["spec"]["size"] == "nano"


async def test_null_means_the_default(server: Any) -> None:
    made = await server.create({"size": None, "host": None, "database": None})
    assert made["spec"]["size"] == "nano"
    assert "host" not in made["spec"]
    assert made["spec"]["database"]["version"] == "17"


async def test_two_writers_keep_their_own_fields(server: Any) -> None:
    name = server.new_name()
    await server.apply(name, {"size": "small"}, "gitops")
    both = await server.apply(name, {"displayName": "Shop"}, "supaplane-api")
    assert (both["spec"]["size"], both["spec"]["displayName"]) == ("small", "Shop")


async def test_the_second_custom_domain_of_another_writer_is_added(server: Any) -> None:
    name = server.new_name()
    await server.apply(name, {"customDomains": ["a.example.org"]}, "gitops")
    both = await server.apply(name, {"customDomains": ["b.example.org"]}, "supaplane-api")
    assert sorted(both["spec"]["customDomains"]) == ["a.example.org", "b.example.org"]


QUANTITIES = ["1000m", "0.5", "1.5", "1500m", "2", "1000", "1024Mi", "1536Mi", "1.5Gi", "0.5Gi"]
QUANTITIES += [
    "512",
    "536870912",
    "0.5Ki",
    "1Ki",
    "1.3Ki",
    "0",
    "2000M",
    "0.0001",
    "1024Gi",
    "7.25",
]
QUANTITIES += ["1000Gi", "123456789k", "1023Ki", "1025Ki", "0.3Ki", "1.0005", "2048Ti", "1000000Mi"]


async def test_amounts_are_normalised_as_the_server_does_it(server: Any) -> None:
    wanted = {f"count/kind{n}.example.org": text for n, text in enumerate(QUANTITIES)}
    body = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "amounts", "namespace": server.namespace},
        "spec": {"limits": [{"type": "example.org/Thing", "max": wanted}]},
    }
    made = await server.client.create(
        resources.LIMIT_RANGES, server.namespace, body, manager="tests"
    )
    (limit,) = made["spec"]["limits"]
    assert limit["max"] == {key: quantities.normal(text) for key, text in wanted.items()}


SAMPLES = ("minimal", "default", "paused", "custom", "full")


def test_the_samples_are_those_that_are_tested(root: Path) -> None:
    found = {path.stem for path in (root / "manifests" / "samples").glob("*.yaml")}
    assert found == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_taken_by_kubectl_apply(devcluster: Cluster, root: Path, name: str) -> None:
    path = str(root / "manifests" / "samples" / f"{name}.yaml")
    first = devcluster.kubectl("apply", "--validate=strict", "-f", path)
    try:
        assert first.stdout == f"supabaseproject.supaplane.dev/{name} created\n"
        assert first.stderr == ""
        again = devcluster.kubectl("apply", "--validate=strict", "-f", path)
        assert again.stdout == f"supabaseproject.supaplane.dev/{name} unchanged\n"
    finally:
        devcluster.kubectl("delete", "-f", path)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_says_what_it_shows_and_is_read_without_loss(root: Path, name: str) -> None:
    text = (root / "manifests" / "samples" / f"{name}.yaml").read_text(encoding="utf-8")
    sample = yaml.safe_load(text)
    project = from_manifest(sample)
    assert text.startswith("# ")
    assert project.namespace == "supaplane-projects"
    assert project.unknown_fields == ()
    assert set(spec_to_manifest(project.spec)) == set(sample.get("spec", {}))
