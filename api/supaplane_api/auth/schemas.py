"""What GoTrue's clients send and read. Source: auth-js 2.63 and 2.119, and GoTrue's own answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import LONGEST_PASSWORD, Email, Password

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
    factors: tuple[dict[str, Any], ...] = ()
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
