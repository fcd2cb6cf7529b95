"""What does a link of a mail open? A page that does nothing until its button is pressed; pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from .letters import TEMPLATES

_STYLE: Final = TEMPLATES.get_template("page.css").render()
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


class Words(NamedTuple):
    """What the page behind one kind of link says."""

    title: str
    text: str
    button: str
    otherwise: str
    """When the link counts, and what helps when it does no more."""


_ONCE: Final = "The link works once, within an hour of the mail."
WORDS: Final[Mapping[str, Words]] = {
    "signup": Words(
        "Confirm your e-mail address",
        "The button signs you in, and your account can be used from then on.",
        "Confirm the address",
        f"{_ONCE} After that, sign up again with the same address: a new mail comes. "
        "If you made no account, close this page: nothing happens.",
    ),
    "recovery": Words(
        "Choose another password",
        "The button signs you in and leads to the page where you choose another password.",
        "Go on",
        f"{_ONCE} After that, ask for another mail where you sign in, with “Forgot password?”. "
        "If you asked for none, close this page: your password stays.",
    ),
    "email_change": Words(
        "Confirm your new e-mail address",
        "The button gives your account this address, with which you sign in from then on.",
        "Confirm the new address",
        f"{_ONCE} After that, ask for the change again in the preferences of your account. "
        "If you asked for none, close this page: nothing changes.",
    ),
}
"""By the kind of link."""


def page(kind: str, *, action: str) -> str:
    """The page's HTML; the button sends an empty form to `action`."""
    words = WORDS[kind]._asdict()
    return TEMPLATES.get_template("page.html.j2").render(**words, style=_STYLE, action=action)


def policy(studio: str) -> str:
    """Its Content-Security-Policy: nothing is loaded, and forms go to us or lead on to Studio.

    `studio` is an origin, or empty. Browsers hold the redirect after the form to the same rule.
    """
    return (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self' {studio};"
        " base-uri 'none'; frame-ancestors 'none'"
    )
