"""Mail: it is a row first, leaves by SMTP, is tried again, and is given up at last."""

import asyncio
import datetime
import ipaddress
import re
import ssl
from contextlib import AsyncExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from supaplane_api.mail import letters, outbox
from supaplane_api.mail.letters import AddressUnusable
from supaplane_api.settings import MailTls

ASKED = {"email": "ada@example.org"}


@pytest.fixture
def certificate(tmp_path):
    """A self-signed one for 127.0.0.1: the server's context, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


async def _waiting(bench):
    return await bench.sql("SELECT tries, reason, outcome FROM outbox ORDER BY id")


async def _counted(bench, outcome):
    text = (await bench.client.get("/metrics")).text
    found = re.search(rf'mails_total{{kind="recovery",outcome="{outcome}"}} (\d+)', text)
    return int(found[1]) if found else 0


async def _asked(bench):
    answer = await bench.client.post("/auth/recover", json=ASKED)
    assert answer.status_code == 200, answer.text


async def test_a_mail_is_text_and_html_from_the_sender_that_was_set(posting, mailbox):
    await posting.person("ada@example.org")
    await _asked(posting)
    await posting.until(lambda: len(mailbox.got) == 1)
    (mail,) = mailbox.got
    assert mail.recipients == ["ada@example.org"]
    assert mail.message["From"] == "Supaplane <platform@example.org>"
    assert mail.message["To"] == "ada@example.org"
    assert mail.message["Subject"] == "Choose another password"
    assert mail.message["Message-ID"].endswith("@projects.example.org>")
    assert mail.link.startswith("https://api.example.org/auth/verify?token=")
    assert mail.code in mail.html


async def test_what_was_sent_holds_no_token_and_is_not_sent_again(posting, mailbox):
    await posting.person("ada@example.org")
    await _asked(posting)
    await posting.until(lambda: len(mailbox.got) == 1)

    async def done():
        return await _waiting(posting) == [(1, None, "sent")]

    await posting.until(done)
    token = mailbox.got[0].link.partition("token=")[2].partition("&")[0]
    ((rows,),) = await posting.sql(
        "SELECT (SELECT json_agg(o)::text FROM outbox o)"
        " || (SELECT json_agg(t)::text FROM one_time_tokens t)"
    )
    assert token not in rows
    assert mailbox.got[0].code not in rows


async def test_nobody_is_written_to_who_has_no_account(posting, mailbox):
    await _asked(posting)

    async def done():
        return await _waiting(posting) == [(1, None, "nobody")]

    await posting.until(done)
    assert mailbox.got == []


async def test_a_server_that_is_away_is_tried_again_and_given_up_after_an_hour(
    posting, mailbox, clock
):
    await posting.person("ada@example.org")
    mailbox.refuse_data = "451 try again later"
    await _asked(posting)
    for number in range(1, 5):  # at once, and after a quarter of an hour each

        async def put_off(number=number):
            return await _counted(posting, "put off") == number

        await posting.until(put_off)
        clock.advance(minutes=15)
        posting.services.mail_due.set()

    async def given_up():
        return await _waiting(posting) == [(5, "SMTPDataError 451", "gave up")]

    await posting.until(given_up)


async def test_after_a_pause_the_server_gets_the_mail(posting, mailbox, clock):
    await posting.person("ada@example.org")
    mailbox.refuse_data = "451 try again later"
    await _asked(posting)

    async def put_off():
        ((tries, reason, _),) = await _waiting(posting)
        return tries == 1 and reason is not None

    await posting.until(put_off)
    mailbox.refuse_data = None
    posting.services.mail_due.set()
    await asyncio.sleep(0.05)
    assert mailbox.got == []  # not before its time
    clock.advance(minutes=1)
    posting.services.mail_due.set()
    await posting.until(lambda: len(mailbox.got) == 1)


async def test_a_recipient_that_the_server_does_not_know_is_given_up_at_once(posting, mailbox):
    await posting.person("ada@example.org")
    mailbox.refuse_recipients = "550 no such user ada, who said walnut"
    await _asked(posting)

    async def done():
        rows = await _waiting(posting)
        return rows == [(1, "the mail server refuses the recipient (550)", "gave up")]

    await posting.until(done)


async def test_over_starttls_the_certificate_is_checked_and_the_password_is_given(
    make_bench, mail_settings, mailbox_type, certificate, monkeypatch, clock
):
    context, file = certificate
    box = await mailbox_type().start(certificate=context, signs_in=True)
    changed = mail_settings.model_copy(
        update={
            "smtp_port": box.port,
            "smtp_tls": MailTls.STARTTLS,
            "smtp_user": box.user,
            "smtp_password": SecretStr(box.password),
        }
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(box.stop)
        bench = await make_bench(stack, settings=changed)
        await bench.person("ada@example.org")
        await _asked(bench)

        async def put_off():
            ((_, reason, _),) = await _waiting(bench)
            return reason is not None

        await bench.until(put_off)  # nobody vouches for the server
        assert box.tried == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        clock.advance(minutes=1)
        bench.services.mail_due.set()
        await bench.until(lambda: len(box.got) == 1)


async def test_a_server_without_starttls_gets_nothing(make_bench, mail_settings, mailbox):
    changed = mail_settings.model_copy(
        update={
            "smtp_tls": MailTls.STARTTLS,
            "smtp_user": mailbox.user,
            "smtp_password": SecretStr(mailbox.password),
        }
    )
    async with AsyncExitStack() as stack:
        bench = await make_bench(stack, settings=changed)
        await bench.person("ada@example.org")
        await _asked(bench)

        async def put_off():
            ((_, reason, _),) = await _waiting(bench)
            return reason is not None

        await bench.until(put_off)
        ((_, reason, _),) = await _waiting(bench)
        assert mailbox.password not in reason
        assert mailbox.tried == 0


async def test_two_replicas_send_a_mail_once(make_bench, mail_settings, mailbox):
    async with AsyncExitStack() as stack:
        first = await make_bench(stack, settings=mail_settings)
        second = await make_bench(stack, settings=mail_settings)
        for number in range(5):
            await first.person(f"ada{number}@example.org")
            body = {"email": f"ada{number}@example.org"}
            assert (await first.client.post("/auth/recover", json=body)).status_code == 200
            second.services.mail_due.set()
        await first.until(lambda: len(mailbox.got) >= 5)

        async def done():
            return {row[2] for row in await _waiting(first)} == {"sent"}

        await first.until(done)
        assert len(mailbox.got) == 5


async def test_an_outbox_that_is_full_takes_no_more(posting, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_WAITING", 0)
    answer = await posting.client.post("/auth/recover", json=ASKED)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert await _waiting(posting) == []


async def test_mail_is_counted_by_its_outcome(posting, mailbox):
    await posting.person("ada@example.org")
    await _asked(posting)
    await posting.until(lambda: len(mailbox.got) == 1)

    async def counted():
        return await _counted(posting, "sent") == 1

    await posting.until(counted)


@pytest.mark.parametrize("address", ["a,b@example.org", "a<b@example.org", "a@b;c", "ä\n@x"])
def test_an_address_that_is_two_is_nobodys(address):
    letter = letters.password_changed("ada@example.org")
    with pytest.raises(AddressUnusable):
        letters.message(letter, sender="x@example.org", recipient=address, message_id="<1@x>")


def test_names_are_text_in_html():
    letter = letters.invitation("<script>alert(1)</script>", "Owner", None, "https://x.test/")
    made = letters.message(
        letter, sender="x@example.org", recipient="a@example.org", message_id="<1@x>"
    )
    html = made.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


async def test_a_program_that_ends_does_not_wait_for_a_slow_server(make_bench, mail_settings):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, AsyncExitStack() as stack:
        changed = mail_settings.model_copy(update={"smtp_port": port})
        bench = await make_bench(stack, settings=changed)
        await bench.person("ada@example.org")
        await _asked(bench)

        async def taken():
            return (await _waiting(bench))[0][0] == 1

        await bench.until(taken)  # and leaving gives up after five seconds
    assert (await _waiting(bench))[0][2] is None
