"""How does the Storage API run: objects in the bundled store, a bucket elsewhere, a volume?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract import shares
from supaplane_contract.spec import ComponentName, StorageBackend
from supaplane_operator.render import bucket, files, objects
from supaplane_operator.render.components.imgproxy import PORT as IMGPROXY_PORT
from supaplane_operator.render.components.objectstore import ROOT
from supaplane_operator.render.context import Project
from supaplane_operator.render.model import Manifest
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED

PORT: Final = 5000
USER: Final = 1000
"""`node` in the image, which does not need the root that it starts with by default."""


def pod(project: Project) -> Pod:
    # /health answers 200 whatever it has to say
    health = ("/status", "http")
    mounts = files.mounts(project)
    return Pod(
        container={
            "securityContext": RESTRICTED,
            # migrations run before it listens
            "startupProbe": objects.http_probe(
                *health, periodSeconds=2, timeoutSeconds=3, failureThreshold=150
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            **({"volumeMounts": mounts} if mounts else {}),
        },
        env={**_environment(project), **_images(project), **_place(project)},
        secret_env={
            "ANON_KEY": project.credential("anon-key"),
            "AUTH_JWT_SECRET": project.credential("jwt-secret"),
            "DATABASE_URL": project.database_url("supabase_storage_admin"),
            "JWT_JWKS": project.credential("jwt-jwks"),
            "S3_PROTOCOL_ACCESS_KEY_ID": project.credential("s3-access-key-id"),
            "S3_PROTOCOL_ACCESS_KEY_SECRET": project.credential("s3-secret-access-key"),
            "SERVICE_KEY": project.credential("service-role-key"),
            **_bucket_keys(project),
        },
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
                **files.security(project),
            },
            **files.pod(project),
        },
    )


def _environment(project: Project) -> dict[str, str]:
    return {
        "DATABASE_MAX_CONNECTIONS": str(project.connections(ComponentName.STORAGE)),
        "FILE_SIZE_LIMIT": str(project.spec.storage.file_size_limit),
        # addresses that it hands out are those of the gateway
        "REQUEST_ALLOW_X_FORWARDED_PATH": "true",
        "SERVER_PORT": str(PORT),
        "STORAGE_PUBLIC_URL": project.public_url,
        # the first folder of every object's path
        "TENANT_ID": project.ref,
    }


def _images(project: Project) -> dict[str, str]:
    if not project.has(ComponentName.IMGPROXY):
        return {"ENABLE_IMAGE_TRANSFORMATION": "false"}
    return {
        "ENABLE_IMAGE_TRANSFORMATION": "true",
        "IMGPROXY_URL": project.url(ComponentName.IMGPROXY, IMGPROXY_PORT),
    }


def _place(project: Project) -> dict[str, str]:
    """Where the objects are."""
    if files.kept(project):
        return {
            "FILE_STORAGE_BACKEND_PATH": files.FOLDER,
            "GLOBAL_S3_BUCKET": bucket.NAME,
            "REGION": bucket.REGION,
            "STORAGE_BACKEND": "file",
        }
    place = bucket.of(project)
    return {
        "GLOBAL_S3_BUCKET": place.name,
        "GLOBAL_S3_ENDPOINT": place.endpoint,
        "GLOBAL_S3_FORCE_PATH_STYLE": "true" if place.path_style else "false",
        "GLOBAL_S3_PROTOCOL": place.scheme,
        "REGION": place.region,
        "STORAGE_BACKEND": "s3",
    }


def _bucket_keys(project: Project) -> dict[str, str]:
    """What opens the bucket."""
    s3 = project.spec.storage.s3
    backend = project.spec.storage.backend
    if backend is StorageBackend.OBJECTSTORE:
        user, password = (project.credential(key) for key in ROOT)
    elif backend is StorageBackend.S3 and s3 is not None:
        user, password = (
            project.user_secret(s3.credentials_secret, key)
            for key in ("accessKeyId", "secretAccessKey")
        )
    else:
        return {}
    return {"AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": password}


def routes(_: Project) -> tuple[Route, ...]:
    return (
        Route(
            9,
            "/storage/v1/",
            Access.OPTIONAL_KEY,
            rewrite="/",
            prefix_header="/storage/v1",
            # a large file takes as long as it takes, while something moves
            timeout="0s",
            idle_timeout="300s",
        ),
    )


def extra(project: Project) -> tuple[Manifest, ...]:
    """The volume, where storage keeps files itself."""
    if not files.kept(project):
        return ()
    volume = project.spec.storage.volume
    claim = objects.claim(
        files.CLAIM,
        project.ref,
        component=ComponentName.STORAGE.value,
        size=shares.object_volume(project.spec),
        storage_class=volume.class_name or project.platform.storage_class,
    )
    return (claim,)


def inputs(project: Project) -> Mapping[str, Any]:
    return {
        "bucketKeys": _bucket_keys(project),
        "connections": project.connections(ComponentName.STORAGE),
        "images": project.has(ComponentName.IMGPROXY),
        "publicUrl": project.public_url,
    }


PART = Part(
    name=ComponentName.STORAGE,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB}),
    calls=frozenset({ComponentName.IMGPROXY, ComponentName.OBJECTSTORE}),
    credentials=(
        "anon-key",
        "jwt-jwks",
        "jwt-secret",
        "password-supabase-storage-admin",
        "s3-access-key-id",
        "s3-secret-access-key",
        "service-role-key",
    ),
    optional_credentials=ROOT,
    routes=routes,
    inputs=inputs,
    ignores=frozenset({"image_transformation", "volume"}),
    objects=extra,
    recreate=files.kept,
    bucket=True,
)
