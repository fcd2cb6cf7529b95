"""How does the bundled S3 server run, whichever program it is?

What the programs differ in is data. The bucket is made over S3 by a Job of ours, so that they can
be exchanged. Its one client, storage, signs in as the root user: nothing else is kept there, and
none of the programs can be told of another user by its configuration alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from supaplane_contract import shares
from supaplane_contract.spec import ComponentName, ObjectStoreEngine
from supaplane_operator.render import bucket, objects
from supaplane_operator.render.context import Project
from supaplane_operator.render.model import Manifest
from supaplane_operator.render.part import Part, Pod, Task
from supaplane_operator.render.workload import RESTRICTED

NAME: Final = ComponentName.OBJECTSTORE.value
DATA: Final = "/data"
ROOT: Final = ("objectstore-root-user", "objectstore-root-password")
JOB_USER: Final = 1000


@dataclass(frozen=True)
class Engine:
    """What one program wants to be told, and in which words."""

    args: tuple[str, ...]
    user: int
    """A number that owns nothing but the volume; where the image has one of its own, that."""
    variables: tuple[str, str]
    """Environment variables for name and password of the root user."""
    live: str
    ready: str
    env: Mapping[str, str] = field(default_factory=dict)


ENGINES: Final[Mapping[ObjectStoreEngine, Engine]] = {
    ObjectStoreEngine.MINIO: Engine(
        args=("server", DATA, "--address", f":{bucket.PORT}"),
        user=1000,
        variables=("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
        live="/minio/health/live",
        ready="/minio/health/ready",
        env={
            # it ends when nothing says where its user is at home
            "HOME": "/tmp",
            "MINIO_BROWSER": "off",
            "MINIO_SITE_REGION": bucket.REGION,
            # asks the internet, which it cannot reach, for newer versions
            "MINIO_UPDATE": "off",
        },
    ),
    ObjectStoreEngine.RUSTFS: Engine(
        # the image's entry point adds the folder and the program's name
        args=("rustfs",),
        user=10001,
        variables=("RUSTFS_ACCESS_KEY", "RUSTFS_SECRET_KEY"),
        live="/health",
        ready="/health",
        env={
            "RUSTFS_ADDRESS": f":{bucket.PORT}",
            "RUSTFS_CONSOLE_ENABLE": "false",
            # empty: to standard output
            "RUSTFS_OBS_LOG_DIRECTORY": "",
            "RUSTFS_REGION": bucket.REGION,
            "RUSTFS_VOLUMES": DATA,
        },
    ),
    ObjectStoreEngine.VERSITYGW: Engine(
        args=("posix", DATA),
        user=1000,
        variables=("ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"),
        live="/health",
        ready="/health",
        env={
            "VGW_HEALTH": "/health",
            "VGW_PORT": f":{bucket.PORT}",
            # every probe would be a line
            "VGW_QUIET": "true",
            "VGW_REGION": bucket.REGION,
        },
    ),
}


def pod(project: Project) -> Pod:
    engine = ENGINES[project.spec.objectstore.engine]
    return Pod(
        container={
            "args": list(engine.args),
            "securityContext": RESTRICTED,
            "startupProbe": objects.http_probe(
                engine.live, "http", periodSeconds=2, timeoutSeconds=3, failureThreshold=90
            ),
            "readinessProbe": objects.http_probe(
                engine.ready, "http", periodSeconds=5, timeoutSeconds=3
            ),
            "livenessProbe": objects.http_probe(
                engine.live, "http", periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            # below a folder, for lost+found at the top would look like a bucket
            "volumeMounts": [{"name": "data", "mountPath": DATA, "subPath": "data"}],
        },
        env=engine.env,
        secret_env=dict(
            zip(engine.variables, (project.credential(key) for key in ROOT), strict=True)
        ),
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": engine.user,
                "fsGroup": engine.user,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": NAME}}],
        },
    )


def make_bucket(project: Project) -> Manifest:
    """The container of the Job: makes the bucket if it is not there, by way of S3 alone.

    It waits for the server by itself, five minutes long, so that no pod fails at the first start.
    """
    user, password = ENGINES[project.spec.objectstore.engine].variables
    place = bucket.of(project)
    plain = {
        "RCLONE_CONFIG_STORE_ENDPOINT": place.endpoint,
        "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_REGION": place.region,
        "RCLONE_CONFIG_STORE_TYPE": "s3",
    }
    secret = {
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": user,
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": password,
    }
    return {
        "args": [
            "mkdir",
            # no configuration file: the variables say it all
            "--config=",
            "--retries=60",
            "--retries-sleep=3s",
            "--low-level-retries=1",
            "--contimeout=5s",
            f"store:{place.name}",
        ],
        "env": objects.env(plain, NAME, secret),
        "securityContext": RESTRICTED,
    }


def extra(project: Project) -> tuple[Manifest, ...]:
    """The volume that holds the objects."""
    volume = project.spec.objectstore.volume
    claim = objects.claim(
        NAME,
        project.ref,
        component=NAME,
        size=shares.object_volume(project.spec),
        storage_class=volume.class_name or project.platform.storage_class,
    )
    return (claim,)


def inputs(_: Project) -> Mapping[str, Any]:
    """Nothing besides program, image and root user: objects come and go without it."""
    return {}


PART = Part(
    name=ComponentName.OBJECTSTORE,
    pod=pod,
    ports={"http": bucket.PORT},
    credentials=ROOT,
    inputs=inputs,
    ignores=frozenset({"volume"}),
    objects=extra,
    stateful=True,
    tasks=(
        Task("bucket", make_bucket, user=JOB_USER, calls=frozenset({ComponentName.OBJECTSTORE})),
    ),
)
