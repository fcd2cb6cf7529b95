"""What can each component beside the database be told?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from .exposure import ExternalAccess
from .fields import (
    SET,
    Email,
    Flag,
    HttpUrl,
    Model,
    ObjectName,
    RedirectUrl,
    Rule,
    Schema,
    Url,
    Whole,
    immutable,
    keyed_by,
    ruled,
)
from .parts import Component, ScalableComponent, SecretKeyRef, VolumeSpec


class GatewayKind(StrEnum):
    """Programs that can be the API gateway."""

    ENVOY = "envoy"
    KONG = "kong"


class Gateway(ScalableComponent):
    """The one way in: routes, key checks and Studio's sign-in."""

    kind: GatewayKind = GatewayKind.ENVOY
    """Which gateway program runs."""


class SmtpSettings(Model):
    """The mail server that auth sends with."""

    RULES = (
        Rule(
            "has(self.user) == has(self.passwordRef)",
            "smtp.user and smtp.passwordRef belong together: give both, or neither for a server "
            "that asks for no sign-in",
        ),
    )

    host: Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=253)]
    """Host name of the mail server."""
    port: Annotated[Whole, Field(ge=1, le=65535)] = 587
    """Port of the mail server."""
    user: Annotated[str, StringConstraints(min_length=1, max_length=320)] | None = None
    """User name."""
    password_ref: SecretKeyRef | None = None
    """Where the password is."""
    admin_email: Email
    """Sender address."""
    sender_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Sender name."""


_SECRET = "(_secrets?|_pass|_auth_token|_(api|access|private)_key)$"
"""How the names of settings end whose values nobody but auth should know."""
_SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=128)]


class Auth(ScalableComponent):
    """Sign-up, sign-in and users (GoTrue)."""

    RULES = (
        Rule(
            "!has(self.settings) || !has(self.secretRefs)"
            " || !self.settings.exists(name, name in self.secretRefs)",
            "a setting stands in settings or in secretRefs, not in both: remove one",
        ),
        Rule(
            f"!has(self.settings) || !self.settings.exists(name, name.matches('{_SECRET}'))",
            "this setting is a secret: put it into a Secret and name that in auth.secretRefs",
            field=".settings",
        ),
    )

    site_url: Url | None = None
    """Where people land after signing in. Absent: the project's public URL."""
    additional_redirect_urls: Annotated[
        list[RedirectUrl], Field(max_length=64, json_schema_extra=SET)
    ] = []
    """Further redirect targets; globs such as https://*.example.org/** are allowed, commas not."""
    disable_signup: Flag = False
    """Whether new people may not sign up by themselves."""
    jwt_expiry_seconds: Annotated[Whole, Field(ge=60, le=604800)] = 3600
    """Life of an access token, in seconds."""
    enable_email_signup: Flag = True
    """Whether people may sign up with an e-mail address."""
    enable_phone_signup: Flag = False
    """Whether people may sign up with a telephone number."""
    enable_anonymous_sign_ins: Flag = False
    """Whether people may use the project without an account."""
    auto_confirm_email: Flag | None = None
    """Whether addresses count as confirmed at once. Absent: exactly when there is no smtp, since
    nobody could confirm anything then."""
    smtp: SmtpSettings | None = None
    """Mail server. Without one no mail is sent."""
    settings: Annotated[
        dict[_SettingName, Annotated[str, StringConstraints(max_length=16384)]],
        Field(max_length=256),
    ] = {}
    """Further settings, keyed as in the Management API's auth config (lower case). No secrets
    here: use secretRefs."""
    secret_refs: Annotated[dict[_SettingName, SecretKeyRef], Field(max_length=64)] = {}
    """Settings that are secrets, keyed likewise, by the Secret that holds them."""


class Rest(ScalableComponent):
    """The REST and GraphQL data API (PostgREST)."""

    schemas: Annotated[list[Schema], Field(min_length=1, max_length=32)] = [
        "public",
        "graphql_public",
    ]
    """Schemas that the data API exposes; the first is the one that clients get by default."""
    extra_search_path: Annotated[list[Schema], Field(max_length=32)] = ["public", "extensions"]
    """Schemas added to the search path."""
    max_rows: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1000
    """Most rows in one answer."""
    pool_size: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    """Database connections of each pod. Absent: as the size has it."""


class Realtime(Component):
    """Broadcast, presence and database changes (Realtime)."""

    max_concurrent_users: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    """Most clients connected at once. Absent: as the release has it."""
    max_events_per_second: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    """Most events per second. Absent: as the release has it."""


class StorageBackend(StrEnum):
    """Where objects are kept."""

    OBJECTSTORE = "objectstore"
    S3 = "s3"
    FILE = "file"


class S3Settings(Model):
    """A bucket of the user's own, at any service that speaks S3."""

    endpoint: HttpUrl
    """URL of the S3 service, without user name or password."""
    region: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "us-east-1"
    """Region of the bucket."""
    bucket: Annotated[
        str, StringConstraints(pattern=r"^[a-zA-Z0-9][-._a-zA-Z0-9]*$", min_length=3, max_length=63)
    ]
    """Name of the bucket, which must exist."""
    force_path_style: Flag = True
    """Whether the bucket is part of the path instead of the host name."""
    credentials_secret: ObjectName
    """Secret, in the SupabaseProject's own namespace, with the keys accessKeyId and
    secretAccessKey."""


class Storage(ScalableComponent):
    """Files (Storage API)."""

    RULES = (
        Rule(
            "(self.?backend.orValue('') == 's3') == has(self.s3)",
            "storage.s3 is the bucket of storage.backend s3: give both or neither",
        ),
        Rule(
            "self.?backend.orValue('') != 'file'"
            " || (!has(self.autoscaling) && self.?replicas.orValue(1) == 1)",
            "with storage.backend file one pod holds the volume: remove replicas and autoscaling, "
            "or make a project with backend objectstore or s3",
        ),
    )

    backend: Annotated[
        StorageBackend, Field(json_schema_extra=ruled(immutable("where objects are kept")))
    ] = StorageBackend.OBJECTSTORE
    """Where objects are kept: in the bundled object store, in a bucket of your own (s3), or on a
    volume (file). Cannot change."""
    s3: S3Settings | None = None
    """The bucket, with backend s3."""
    volume: VolumeSpec = VolumeSpec()
    """The volume, with backend file."""
    file_size_limit: Annotated[Whole, Field(ge=1, le=536_870_912_000)] = 52_428_800
    """Largest upload, in bytes."""
    image_transformation: Flag = True
    """Whether images can be resized; runs imgproxy."""


class ObjectStoreEngine(StrEnum):
    """Programs that can be the bundled S3 server."""

    MINIO = "minio"
    RUSTFS = "rustfs"
    VERSITYGW = "versitygw"


class ObjectStore(Component):
    """The bundled S3 server."""

    engine: Annotated[
        ObjectStoreEngine,
        Field(json_schema_extra=ruled(immutable("the program that holds the objects"))),
    ] = ObjectStoreEngine.MINIO
    """Which program runs; cannot change, for each keeps its files in its own way."""
    volume: VolumeSpec = VolumeSpec()
    """The volume that holds the objects."""


class FunctionSource(Model):
    """The code of one function, or of a folder that functions share."""

    name: Annotated[
        str, StringConstraints(pattern=r"^[a-zA-Z_][-a-zA-Z0-9_]*$", max_length=63, min_length=1)
    ]
    """Folder of the code, and the function's name in its URL. What begins with an underscore, such
    as _shared, is there to be imported by the others and cannot be called."""
    secret: ObjectName
    """Secret, in the SupabaseProject's own namespace, whose keys are the files of the folder. A
    function begins at its index.ts."""
    verify_jwt: Flag | None = None
    """Whether calls of this function need a valid token or key. Absent: functions.verifyJwt."""


class Functions(ScalableComponent):
    """Edge functions."""

    RULES = (
        Rule(
            "!has(self.sources) || !self.sources.exists(source, source.name == 'main')",
            "the name main is taken by what leads calls to functions: choose another",
            field=".sources",
        ),
    )

    verify_jwt: Flag = True
    """Whether every call needs a valid token or key."""
    sources: Annotated[
        list[FunctionSource], Field(max_length=64, json_schema_extra=keyed_by("name"))
    ] = []
    """The functions, by name. A change of code replaces the pods."""


class Studio(Component):
    """The project's own Studio, behind the gateway's sign-in."""

    organization_name: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Organization shown. Absent: spec.organization."""


class PoolMode(StrEnum):
    """When a pooled connection is given back."""

    TRANSACTION = "transaction"
    SESSION = "session"


class Pooler(Component):
    """The connection pooler (Supavisor)."""

    pool_mode: PoolMode = PoolMode.TRANSACTION
    """When a pooled connection is given back: after each transaction, or at the session's end."""
    default_pool_size: Annotated[Whole, Field(ge=1, le=10_000)] | None = None
    """Connections to the database per user. Absent: as the size has it."""
    max_client_connections: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Most clients. Absent: as the size has it."""
    external: ExternalAccess = ExternalAccess()
    """Reachability of the pooler from outside the cluster."""
