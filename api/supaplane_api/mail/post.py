"""How does a message leave? By SMTP, one connection for each, with an end to every wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib
from pydantic import SecretStr

from supaplane_api.settings import MailTls, Settings

SECONDS = 30.0
"""For the whole conversation."""


class NotSent(Exception):
    """It did not leave. The message holds no secret and nothing that the server said."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good
        """Whether it is of no use to try again."""


class Post(Protocol):
    """Where messages go."""

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns once it was taken. Raises NotSent."""


@dataclass(frozen=True)
class Smtp:
    """A server that takes mail for everybody."""

    host: str
    port: int
    tls: MailTls
    user: str | None
    password: SecretStr | None

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns once the server has taken it. Raises NotSent."""
        # In a task of its own: the package's waits may swallow a cancellation, ours must not.
        sending = asyncio.create_task(self._send(message, recipient))
        sending.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await asyncio.wait({sending}, timeout=SECONDS)
        finally:
            sending.cancel()
        if not sending.done():
            raise NotSent("the mail server is too slow", for_good=False)
        try:
            sending.result()
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refusal.code for refusal in error.recipients]
            raise NotSent(
                f"the mail server refuses the recipient ({', '.join(map(str, codes))})",
                for_good=all(code >= 500 for code in codes),
            ) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent(_named(error), for_good=False) from None

    async def _send(self, message: EmailMessage, recipient: str) -> None:
        await aiosmtplib.send(
            message,
            recipients=[recipient],
            hostname=self.host,
            port=self.port,
            use_tls=self.tls is MailTls.TLS,
            start_tls=self.tls is MailTls.STARTTLS,
            username=self.user,
            password=self.password.get_secret_value() if self.password else None,
            timeout=SECONDS,
        )


def of(settings: Settings) -> Post | None:
    """The server that the settings name; None: this platform sends no mail."""
    if settings.smtp_host is None:
        return None
    return Smtp(
        settings.smtp_host,
        settings.mail_port,
        settings.smtp_tls,
        settings.smtp_user,
        settings.smtp_password,
    )


def _named(error: Exception) -> str:
    """The kind of an error and its code: what a server says may repeat what it was told."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if isinstance(code, int) else type(error).__name__
