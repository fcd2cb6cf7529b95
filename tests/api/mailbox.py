"""A mail server for tests: takes what it is sent, or refuses it as it is told to."""

import asyncio
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class Mail:
    """A message that arrived."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()

    @property
    def link(self):
        return re.search(r"https?://\S+", self.text)[0]

    @property
    def code(self):
        return re.search(r"asked for this mail: (\d{6})", self.text)[1]


@dataclass
class Mailbox:
    """A server on a port of this machine."""

    user: str = "postman"
    password: str = "walnut gravel 7"
    refuse_recipients: str | None = None
    refuse_data: str | None = None
    got: list[Mail] = field(default_factory=list)
    tried: int = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.tried += 1
        if self.refuse_recipients:
            return self.refuse_recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refuse_data:
            return self.refuse_data
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.got.append(Mail(envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"

    def _authenticate(self, server, session, envelope, mechanism, data):
        fits = (data.login.decode(), data.password.decode()) == (self.user, self.password)
        return AuthResult(success=fits)

    async def start(self, *, certificate=None, signs_in=False):
        """`certificate`: an SSLContext for STARTTLS, without which nothing is taken then."""

        def protocol():
            return SMTP(
                self,
                hostname="mail.test",
                tls_context=certificate,
                require_starttls=certificate is not None,
                authenticator=self._authenticate if signs_in else None,
                auth_required=signs_in,
            )

        self.server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        return self

    @property
    def port(self):
        return self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        await self.server.wait_closed()
