"""What GoTrue's clients send and read. Source: auth-js 2.63 and 2.119, and GoTrue's own answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import LONGEST_PASSWORD, Email, Password, Word

from .factors_repository import FactorRow

LONGEST_URL = 2048
Captcha = Annotated[str, StringConstraints(max_length=8192)]
Url = Annotated[str, StringConstraints(max_length=LONGEST_URL)]
Verifier = Annotated[str, StringConstraints(max_length=256)]
Given = Annotated[str, StringConstraints(max_length=LONGEST_PASSWORD)]


class TokenRequest(Body):
    """Body of both grants; each reads its own fields."""

    email: Email | None = None
    password: Given | None = None
    refresh_token: Annotated[str, StringConstraints(max_length=512)] | None = None
    auth_code: Verifier | None = None
    """What the link of a mail gave, where it was asked for with a code_challenge (RFC 7636)."""
    code_verifier: Verifier | None = None
    """What that code_challenge was made from."""
    gotrue_meta_security: dict[str, Any] | None = None
    """A captcha's answer; this platform asks for none."""


class SignUp(Body):
    """A new account."""

    email: Email
    password: Annotated[Password, StringConstraints(min_length=8)]
    redirect_to: Url | None = Field(None, alias="redirectTo")
    """Where the link of the mail leads in the end: one of Studio's pages."""
    captcha: Captcha | None = Field(None, alias="hcaptchaToken")
    """A captcha's answer; this platform asks for none."""


class SignedUp(Answer):
    """The new account."""

    id: str | None
    """Null where the address has to be confirmed first: who has an account is not told."""
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
    current_password: Given | None = None
    """Checked where it is sent, as newer Studios do."""
    email: Email | None = None
    phone: Word | None = None
    data: dict[str, Any] | None = None


class Asking(Body):
    """Somebody asks for a mail, whose link leads back to the same browser (RFC 7636)."""

    email: Email
    code_challenge: Verifier | None = None
    code_challenge_method: Literal["s256", "S256", "plain"] | None = None
    gotrue_meta_security: dict[str, Any] | None = None
    """A captcha's answer; this platform asks for none."""


class Recover(Asking):
    """A forgotten password."""


class Resend(Asking):
    """A mail that did not arrive."""

    type: Literal["signup", "email_change"]


class ResetPassword(Body):
    """A forgotten password, as Studio asks."""

    email: Email
    redirect_to: Url | None = Field(None, alias="redirectTo")
    """Where the link of the mail leads in the end: one of Studio's pages."""
    captcha: Captcha | None = Field(None, alias="hcaptchaToken")
    """A captcha's answer; this platform asks for none."""


class NewEmail(Body):
    """Another address."""

    new_email: Email = Field(alias="newEmail")
    captcha: Captcha | None = Field(None, alias="hcaptchaToken")
    """A captcha's answer; this platform asks for none."""


class VerifyCode(Body):
    """What a mail holds."""

    type: Literal["signup", "email", "recovery"]
    """`email` is another name of `signup`."""
    email: Email | None = None
    token: Verifier | None = None
    """The digits."""
    token_hash: Verifier | None = None
    """The token of the link."""
    gotrue_meta_security: dict[str, Any] | None = None
    """A captcha's answer; this platform asks for none."""


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
