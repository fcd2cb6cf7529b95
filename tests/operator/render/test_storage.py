"""Does Storage find its objects wherever they are kept, and is there what it needs for that?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Reason
from supaplane_operator.render import NotRenderable, Rendered, RenderInput, project

MakeInput = Callable[..., RenderInput]
Environment = Callable[[Rendered, str], dict[str, str]]
REF = "abcdefghijklmnopqrst"
INSIDE = f"supabase-{REF}.svc.cluster.local"
S3 = {"endpoint": "https://s3.acme.test/", "bucket": "acme", "credentialsSecret": "keys"}
NO_STORAGE = {"storage": {"enabled": False}}
KEYS = {("keys", "accessKeyId"): "key id", ("keys", "secretAccessKey"): "key secret"}


def storage(**fields: Any) -> dict[str, Any]:
    return {"storage": {"enabled": True, **fields}}


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(m for m in rendered.manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


def on(rendered: Rendered) -> set[str]:
    return {component.name.value for component in rendered.components}


def pod_of(rendered: Rendered, name: str) -> dict[str, Any]:
    found: dict[str, Any] = named(rendered, "Deployment", name)["spec"]["template"]["spec"]
    return found


def common(credentials: Mapping[str, str]) -> dict[str, str]:
    password = credentials["password-supabase-storage-admin"]
    return {
        "ANON_KEY": credentials["anon-key"],
        "AUTH_JWT_SECRET": credentials["jwt-secret"],
        "DATABASE_MAX_CONNECTIONS": "5",
        "DATABASE_URL": f"postgres://supabase_storage_admin:{password}@db.{INSIDE}:5432/postgres",
        "FILE_SIZE_LIMIT": "52428800",
        "JWT_JWKS": credentials["jwt-jwks"],
        "REQUEST_ALLOW_X_FORWARDED_PATH": "true",
        "S3_PROTOCOL_ACCESS_KEY_ID": credentials["s3-access-key-id"],
        "S3_PROTOCOL_ACCESS_KEY_SECRET": credentials["s3-secret-access-key"],
        "SERVER_PORT": "5000",
        "SERVICE_KEY": credentials["service-role-key"],
        "STORAGE_PUBLIC_URL": f"https://{REF}.example.com",
        "TENANT_ID": REF,
    }


def test_by_default_objects_lie_in_the_bundled_store(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    rendered = project(make_input(storage()))
    assert {"storage", "imgproxy", "objectstore"} <= on(rendered)
    assert environment_of(rendered, "storage") == common(credentials) | {
        "AWS_ACCESS_KEY_ID": credentials["objectstore-root-user"],
        "AWS_SECRET_ACCESS_KEY": credentials["objectstore-root-password"],
        "ENABLE_IMAGE_TRANSFORMATION": "true",
        "GLOBAL_S3_BUCKET": "storage",
        "GLOBAL_S3_ENDPOINT": f"http://objectstore.{INSIDE}:9000",
        "GLOBAL_S3_FORCE_PATH_STYLE": "true",
        "GLOBAL_S3_PROTOCOL": "http",
        "IMGPROXY_URL": f"http://imgproxy.{INSIDE}:5001",
        "REGION": "us-east-1",
        "STORAGE_BACKEND": "s3",
    }


def test_a_bucket_elsewhere_is_opened_with_its_owners_keys(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    s3 = S3 | {"region": "eu-central-1", "forcePathStyle": False}
    rendered = project(make_input(storage(backend="s3", s3=s3), secrets=KEYS))
    assert "objectstore" not in on(rendered)
    found = environment_of(rendered, "storage")
    assert {k: v for k, v in found.items() if k not in common(credentials)} == {
        "AWS_ACCESS_KEY_ID": "key id",
        "AWS_SECRET_ACCESS_KEY": "key secret",
        "ENABLE_IMAGE_TRANSFORMATION": "true",
        "GLOBAL_S3_BUCKET": "acme",
        "GLOBAL_S3_ENDPOINT": "https://s3.acme.test",
        "GLOBAL_S3_FORCE_PATH_STYLE": "false",
        "GLOBAL_S3_PROTOCOL": "https",
        "IMGPROXY_URL": f"http://imgproxy.{INSIDE}:5001",
        "REGION": "eu-central-1",
        "STORAGE_BACKEND": "s3",
    }


def test_files_lie_on_a_volume_that_storage_and_imgproxy_mount_on_one_node(
    make_input: MakeInput, credentials: Mapping[str, str], environment_of: Environment
) -> None:
    volume = {"size": "3Gi", "className": "fast"}
    rendered = project(make_input(storage(backend="file", volume=volume)))
    assert "objectstore" not in on(rendered)
    found = environment_of(rendered, "storage")
    assert {k: v for k, v in found.items() if k not in common(credentials)} == {
        "ENABLE_IMAGE_TRANSFORMATION": "true",
        "FILE_STORAGE_BACKEND_PATH": "/var/lib/storage",
        "GLOBAL_S3_BUCKET": "storage",
        "IMGPROXY_URL": f"http://imgproxy.{INSIDE}:5001",
        "REGION": "us-east-1",
        "STORAGE_BACKEND": "file",
    }
    claim = named(rendered, "PersistentVolumeClaim", "storage")["spec"]
    assert (claim["resources"]["requests"]["storage"], claim["storageClassName"]) == ("3Gi", "fast")
    assert named(rendered, "Deployment", "storage")["spec"]["strategy"] == {"type": "Recreate"}
    pods = [pod_of(rendered, name) for name in ("storage", "imgproxy")]
    mounts = [pod["containers"][0]["volumeMounts"][0] for pod in pods]
    assert [m["mountPath"] for m in mounts] == ["/var/lib/storage"] * 2
    assert [m.get("readOnly", False) for m in mounts] == [False, True]
    assert [pod["securityContext"]["fsGroup"] for pod in pods] == [1000, 1000]
    terms = [
        pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        for pod in pods
    ]
    assert terms[0] == terms[1]
    (term,) = terms[0]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    (either,) = term["labelSelector"]["matchExpressions"]
    # each fits the term itself, so that whichever comes first is not left waiting for the other
    assert either == {
        "key": names.LABEL_COMPONENT,
        "operator": "In",
        "values": ["imgproxy", "storage"],
    }


def test_elsewhere_pods_are_free_and_replaced_without_a_gap(make_input: MakeInput) -> None:
    rendered = project(make_input(storage()))
    assert "affinity" not in pod_of(rendered, "storage")
    strategy = named(rendered, "Deployment", "storage")["spec"]["strategy"]
    assert strategy["type"] == "RollingUpdate"


@pytest.mark.parametrize(
    ("fields", "secrets", "source"),
    [
        ({}, {}, f"http://objectstore.{INSIDE}:9000/"),
        ({"backend": "file"}, {}, "local://"),
        ({"backend": "s3", "s3": S3}, KEYS, "https://s3.acme.test/"),
        (
            {"backend": "s3", "s3": S3 | {"forcePathStyle": False}},
            KEYS,
            "https://acme.s3.acme.test/",
        ),
        (
            {"backend": "s3", "s3": S3 | {"endpoint": "http://s3.acme.test:9000"}},
            KEYS,
            "http://s3.acme.test:9000/",
        ),
    ],
)
def test_imgproxy_fetches_from_where_the_objects_are_and_nowhere_else(
    make_input: MakeInput,
    environment_of: Environment,
    fields: Mapping[str, Any],
    secrets: Any,
    source: str,
) -> None:
    found = environment_of(project(make_input(storage(**fields), secrets=secrets)), "imgproxy")
    local = {"IMGPROXY_LOCAL_FILESYSTEM_ROOT": "/"} if source == "local://" else {}
    assert found == local | {
        "IMGPROXY_ALLOWED_SOURCES": source,
        "IMGPROXY_AUTO_WEBP": "true",
        "IMGPROXY_BIND": ":5001",
        "IMGPROXY_MAX_SRC_RESOLUTION": "16.8",
        "IMGPROXY_USE_ETAG": "true",
        "IMGPROXY_WORKERS": "2",
    }


@pytest.mark.parametrize(
    "spec",
    [
        storage(imageTransformation=False),
        storage() | {"imgproxy": {"enabled": False}},
    ],
)
def test_images_can_be_left_as_they_are_on_either_side(
    make_input: MakeInput, environment_of: Environment, spec: Mapping[str, Any]
) -> None:
    rendered = project(make_input(spec))
    assert "imgproxy" not in on(rendered)
    found = environment_of(rendered, "storage")
    assert found["ENABLE_IMAGE_TRANSFORMATION"] == "false"
    assert "IMGPROXY_URL" not in found


def test_without_storage_there_is_nothing_that_serves_it(make_input: MakeInput) -> None:
    assert not {"imgproxy", "objectstore", "storage"} & on(project(make_input(NO_STORAGE)))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (NO_STORAGE | {"objectstore": {"enabled": True}}, "remove objectstore.enabled"),
        (storage(backend="file") | {"objectstore": {"enabled": True}}, "stand empty"),
        (storage() | {"objectstore": {"enabled": False}}, "remove objectstore.enabled"),
        (NO_STORAGE | {"imgproxy": {"enabled": True}}, "remove imgproxy.enabled"),
        (
            storage(imageTransformation=False) | {"imgproxy": {"enabled": True}},
            "storage.imageTransformation to true",
        ),
        (storage(backend="s3"), "give storage.s3"),
        (
            storage(backend="s3", s3=S3 | {"endpoint": "https://[x"}),
            "storage.s3.endpoint",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_cure(
    make_input: MakeInput, spec: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(spec, secrets=KEYS))
    assert refusal.value.reason is Reason.SPEC_INVALID
    assert words in refusal.value.message


def test_a_bucket_whose_keys_are_missing_waits_for_them(make_input: MakeInput) -> None:
    with pytest.raises(NotRenderable, match="accessKeyId") as refusal:
        project(make_input(storage(backend="s3", s3=S3)))
    assert refusal.value.reason is Reason.SECRET_MISSING


@pytest.mark.parametrize(
    ("engine", "image", "env", "user"),
    [
        (
            "minio",
            "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
            {
                "HOME": "/tmp",
                "MINIO_BROWSER": "off",
                "MINIO_ROOT_PASSWORD": "<password>",
                "MINIO_ROOT_USER": "<user>",
                "MINIO_SITE_REGION": "us-east-1",
                "MINIO_UPDATE": "off",
            },
            1000,
        ),
        (
            "rustfs",
            "rustfs/rustfs:v1.0.0-rc.5",
            {
                "RUSTFS_ACCESS_KEY": "<user>",
                "RUSTFS_ADDRESS": ":9000",
                "RUSTFS_CONSOLE_ENABLE": "false",
                "RUSTFS_OBS_LOG_DIRECTORY": "",
                "RUSTFS_REGION": "us-east-1",
                "RUSTFS_SECRET_KEY": "<password>",
                "RUSTFS_VOLUMES": "/data",
            },
            10001,
        ),
        (
            "versitygw",
            "versity/versitygw:v1.8.0",
            {
                "ROOT_ACCESS_KEY": "<user>",
                "ROOT_SECRET_KEY": "<password>",
                "VGW_HEALTH": "/health",
                "VGW_PORT": ":9000",
                "VGW_QUIET": "true",
                "VGW_REGION": "us-east-1",
            },
            1000,
        ),
    ],
)
def test_each_engine_is_told_in_its_own_words(
    make_input: MakeInput,
    credentials: Mapping[str, str],
    environment_of: Environment,
    engine: str,
    image: str,
    env: Mapping[str, str],
    user: int,
) -> None:
    rendered = project(make_input(storage() | {"objectstore": {"engine": engine}}))
    store = named(rendered, "StatefulSet", "objectstore")["spec"]["template"]["spec"]
    values = {
        "<user>": credentials["objectstore-root-user"],
        "<password>": credentials["objectstore-root-password"],
    }
    assert environment_of(rendered, "objectstore") == {k: values.get(v, v) for k, v in env.items()}
    assert store["containers"][0]["image"] == image
    assert (store["securityContext"]["runAsUser"], store["securityContext"]["fsGroup"]) == (
        user,
        user,
    )
    job = next(m for m in rendered.manifests if m["kind"] == "Job")
    variables = {e["name"]: e for e in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    keys = [
        variables[f"RCLONE_CONFIG_STORE_{name}"]["valueFrom"]["secretKeyRef"]["key"]
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    ]
    told = environment_of(rendered, "objectstore")
    assert [told[key] for key in keys] == [values["<user>"], values["<password>"]]


def job_of(rendered: Rendered) -> dict[str, Any]:
    (job,) = [m for m in rendered.manifests if m["kind"] == "Job"]
    return job


def test_the_bucket_is_made_over_s3_by_a_job_that_the_store_waits_for(
    make_input: MakeInput,
) -> None:
    rendered = project(make_input(storage()))
    job = job_of(rendered)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "rclone/rclone:1.76.0"
    assert (container["args"][0], container["args"][-1]) == ("mkdir", "store:storage")
    plain = {e["name"]: e["value"] for e in container["env"] if "value" in e}
    assert plain == {
        "RCLONE_CONFIG_STORE_ENDPOINT": f"http://objectstore.{INSIDE}:9000",
        "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_REGION": "us-east-1",
        "RCLONE_CONFIG_STORE_TYPE": "s3",
    }
    store = next(c for c in rendered.components if c.name is ComponentName.OBJECTSTORE)
    assert store.jobs == ((job["metadata"]["name"], "bucket"),)


def test_the_name_of_the_job_says_what_it_does_and_nothing_else_changes_it(
    make_input: MakeInput, credentials: Mapping[str, str]
) -> None:
    def name(**fields: Any) -> str:
        return str(job_of(project(make_input(**fields)))["metadata"]["name"])

    usual = name(spec=storage())
    assert name(spec=storage() | {"size": "large", "displayName": "Other"}) == usual
    assert name(spec=storage() | {"objectstore": {"engine": "rustfs"}}) != usual
    rotated = {**credentials, "objectstore-root-password": "f" * 32}
    assert name(spec=storage(), credentials=rotated) == usual


def test_the_service_of_the_store_does_not_take_the_job_for_a_store(
    make_input: MakeInput,
) -> None:
    rendered = project(make_input(storage()))
    labels = job_of(rendered)["spec"]["template"]["metadata"]["labels"]
    chosen = named(rendered, "Service", "objectstore")["spec"]["selector"]
    assert not chosen.items() <= labels.items()


def test_a_paused_project_keeps_its_volumes_and_has_no_job(make_input: MakeInput) -> None:
    rendered = project(make_input(storage() | {"desiredState": "Paused"}))
    assert [m for m in rendered.manifests if m["kind"] == "Job"] == []
    assert named(rendered, "PersistentVolumeClaim", "objectstore")
    assert named(rendered, "StatefulSet", "objectstore")["spec"]["replicas"] == 0
    store = next(c for c in rendered.components if c.name is ComponentName.OBJECTSTORE)
    assert (store.jobs, store.desired) == ((), 0)


def test_the_volume_of_objects_is_as_large_as_the_size_says_or_the_spec(
    make_input: MakeInput,
) -> None:
    def size(**objectstore: Any) -> str:
        spec = storage() | {"size": "small", "objectstore": objectstore}
        claim = named(project(make_input(spec)), "PersistentVolumeClaim", "objectstore")
        return str(claim["spec"]["resources"]["requests"]["storage"])

    assert (size(), size(volume={"size": "100Gi"})) == ("16Gi", "100Gi")
