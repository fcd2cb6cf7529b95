"""What GoTrue's clients send and read. Source: auth-js 2.63 and 2.119, and GoTrue's own answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import LONGEST_PASSWORD, Email, Password, Word

from .factors_repository import FactorRow

Given = Annotated[str, StringConstraints(max_length=LONGEST_PASSWORD)]


class TokenRequest(Body):
    """Body of both grants; each reads its own fields."""

    email: Email | None = None
    password: Given | None = None
    refresh_token: Annotated[str, StringConstraints(max_length=512)] | None = None
    gotrue_meta_security: dict[str, Any] | None = None
    """A captcha's answer; this platform asks for none."""


class SignUp(Body):
    """A new account."""

    email: Email
    password: Annotated[Password, StringConstraints(min_length=8)]
    redirect_to: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        None, alias="redirectTo"
    )
    """Where a mail would lead; this platform sends none."""
    captcha: Annotated[str, StringConstraints(max_length=8192)] | None = Field(
        None, alias="hcaptchaToken"
    )
    """A captcha's answer; this platform asks for none."""


class SignedUp(Answer):
    """The new account. It can be used at once."""

    id: str
    email: str
    created_at: str


class Identity(Answer):
    """How an account proves who it is."""

    identity_id: str
    id: str
    user_id: str
    identity_data: dict[str, Any]
    provider: Literal["email"] = "email"
    last_sign_in_at: str | None
    created_at: str
    updated_at: str
    email: str


class Factor(Answer):
    """A second factor, without its secret."""

    id: str
    friendly_name: str
    factor_type: Literal["totp"] = "totp"
    status: Literal["verified", "unverified"]
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, row: FactorRow) -> Factor:
        """As it is kept."""
        return cls(
            id=str(row.id),
            friendly_name=row.friendly_name,
            status="unverified" if row.verified_at is None else "verified",
            created_at=row.created_at.isoformat(),
            updated_at=row.updated_at.isoformat(),
        )


class User(Answer):
    """An account, as GoTrue's clients know it."""

    id: str
    aud: str = "authenticated"
    role: str = "authenticated"
    email: str
    phone: str = ""
    email_confirmed_at: str
    confirmed_at: str
    last_sign_in_at: str | None
    app_metadata: dict[str, Any] = Field(default={"provider": "email", "providers": ["email"]})
    user_metadata: dict[str, Any] = Field(default={})
    identities: list[Identity]
    factors: list[Factor]
    created_at: str
    updated_at: str
    is_anonymous: bool = False


class Session(Answer):
    """A sign-in."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    """Seconds."""
    expires_at: int
    """Unix time."""
    refresh_token: str
    user: User


class UpdateUser(Body):
    """What changes of the account. What is not offered here is refused, not ignored."""

    password: Annotated[Password, StringConstraints(min_length=8)] | None = None
    email: Email | None = None
    phone: Word | None = None
    data: dict[str, Any] | None = None


class Enrol(Body):
    """A factor to be enrolled."""

    friendly_name: Word = ""
    factor_type: Literal["totp"]
    issuer: Word | None = None
    """Not used: the page that a code is for is this platform."""


class Totp(Answer):
    """What an authenticator program needs."""

    qr_code: str
    """SVG."""
    secret: str
    """Shown this once."""
    uri: str


class Enrolled(Answer):
    """A factor that was just made."""

    id: str
    type: Literal["totp"] = "totp"
    friendly_name: str
    totp: Totp


class Challenge(Answer):
    """A code is asked for."""

    id: str
    type: Literal["totp"] = "totp"
    expires_at: int
    """Unix time."""


class Verify(Body):
    """A code."""

    challenge_id: Annotated[UUID, Field(strict=False)]
    code: Annotated[str, StringConstraints(pattern="^[0-9]{6}$")]


class FactorId(Answer):
    """The factor that is no more."""

    id: str


class PublicKey(Answer):
    """A key by which access tokens are checked (RFC 7517)."""

    kty: str
    kid: str
    use: str
    key_ops: list[str]
    alg: str
    ext: bool
    crv: str
    x: str
    y: str


class PublicKeys(Answer):
    """All keys whose tokens are still taken."""

    keys: list[PublicKey]
