"""What do our mails say? Pure: a letter is put into words and, by two templates, into a message."""

from __future__ import annotations

from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

import jinja2

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("supaplane_api.mail"),
    autoescape=jinja2.select_autoescape(["html.j2"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_IGNORE = "If this was not you, ignore this mail: nothing changes."


class AddressUnusable(ValueError):
    """No mail can be addressed like this; the message may be kept."""


@dataclass(frozen=True)
class Letter:
    """What somebody is told."""

    subject: str
    paragraphs: tuple[str, ...]
    action: str = ""
    """What the link is for, as a button says it."""
    link: str | None = None
    code: str | None = None
    """Digits to be typed where the mail was asked for."""
    ending: str = ""


def confirm_sign_up(email: str, link: str, code: str) -> Letter:
    """To somebody who made an account."""
    return Letter(
        "Confirm your e-mail address",
        (f"An account was made with the address {email}. It can be used once you confirm it.",),
        action="Confirm the address",
        link=link,
        code=code,
        ending=f"The link holds for an hour. {_IGNORE}",
    )


def address_taken(email: str, studio: str) -> Letter:
    """To the owner of an account whose address somebody wanted to use."""
    return Letter(
        "You have an account already",
        (
            f"Somebody wanted to use the address {email} for an account, and you have one with it"
            " already.",
            "Sign in with it. If you have forgotten your password, ask there for another.",
        ),
        action="Sign in",
        link=f"{studio}/sign-in",
        ending=_IGNORE,
    )


def recover(email: str, link: str, code: str) -> Letter:
    """To somebody who forgot a password."""
    return Letter(
        "Choose another password",
        (f"Another password was asked for the account {email}.",),
        action="Choose another password",
        link=link,
        code=code,
        ending=f"Link and code hold for an hour, and once. {_IGNORE}",
    )


def confirm_new_address(old: str, new: str, link: str) -> Letter:
    """To the new address of an account."""
    return Letter(
        "Confirm your new e-mail address",
        (f"The account {old} is to have the address {new} from now on.",),
        action="Confirm the new address",
        link=link,
        ending=f"The link holds for an hour. {_IGNORE}",
    )


def address_changed(old: str, new: str) -> Letter:
    """To the former address of an account."""
    return Letter(
        "The e-mail address of your account was changed",
        (
            f"The account {old} has the address {new} from now on.",
            "If this was not you, tell the administrator of this platform at once.",
        ),
    )


def password_changed(email: str) -> Letter:
    """To the owner of an account."""
    return Letter(
        "The password of your account was changed",
        (
            f"The account {email} has another password, and all its other sessions have ended.",
            "If this was not you, ask for another password at once, and tell the administrator of"
            " this platform.",
        ),
    )


def invitation(organization: str, role: str, inviter: str | None, link: str) -> Letter:
    """To somebody who is invited."""
    who = inviter or "Somebody"
    return Letter(
        f"You are invited to {organization}",
        (
            f"{who} invites you to the organization {organization}, in the role {role}.",
            "Sign in with this e-mail address to join; make an account first if you have none.",
        ),
        action="See the invitation",
        link=link,
        ending="The invitation holds for seven days after it was made.",
    )


def message(letter: Letter, *, sender: str, recipient: str, message_id: str) -> EmailMessage:
    """The letter as text and as HTML. Raises AddressUnusable."""
    made = EmailMessage()
    made["Subject"] = letter.subject
    made["From"] = sender
    try:
        made["To"] = Address(addr_spec=recipient)
    except (HeaderParseError, ValueError, IndexError):
        raise AddressUnusable("this is no address that mail can be sent to") from None
    made["Message-ID"] = message_id
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(TEMPLATES.get_template("letter.txt.j2").render(letter=letter))
    html = TEMPLATES.get_template("letter.html.j2").render(letter=letter)
    made.add_alternative(html, subtype="html")
    return made
