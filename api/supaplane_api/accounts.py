"""How does an administrator make an account, where sign-up is closed and no mail is sent?

`python -m supaplane_api.accounts add|set-password EMAIL`, with DATABASE_URL set. The password is
asked for, or read as one line from standard input; never an argument, which others could see.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
from pydantic import TypeAdapter, ValidationError

from . import audit
from .auth import one_time_repository, repository
from .auth.passwords import Passwords
from .auth.schemas import SignUp
from .auth.service import LEAST_STRENGTH
from .database import Connection
from .database.migrate import MigrationFailed, migrate

WHO = audit.Actor(None, "administrator, on the command line")


class Refused(Exception):
    """It was not done; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when it was done."""
    parser = argparse.ArgumentParser(
        prog="python -m supaplane_api.accounts",
        description="Makes accounts in the database that DATABASE_URL names. The password is asked"
        " for, or read from standard input.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("add", "make an account"),
        ("set-password", "give an account another password and end all its sessions"),
    ):
        commands.add_parser(name, help=text).add_argument("email")
    given = parser.parse_args(arguments)
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        parser.error("set DATABASE_URL")
    try:
        wish = _checked(given.email, _password())
        migrate(url)
        asyncio.run(carry_out(given.command, wish, url, datetime.now(UTC)))
    except (Refused, MigrationFailed, psycopg.Error) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{given.command}: {wish.email}")
    return 0


async def carry_out(command: str, wish: SignUp, url: str, now: datetime) -> None:
    """Does it, in one transaction. Raises Refused."""
    passwords = Passwords(threads=1)
    try:
        strength = await passwords.strength(wish.password, (wish.email,))
        if strength.score < LEAST_STRENGTH:
            raise Refused(f"the password is too weak. {strength.warning}".strip())
        password_hash = await passwords.hash(wish.password)
    finally:
        passwords.close()
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=10) as connection:
        action = _add if command == "add" else _set_password
        await action(connection, wish.email, password_hash, now)
        await audit.record(
            connection, f"account.{command}", actor=WHO, now=now, details={"email": wish.email}
        )


async def _add(connection: Connection, email: str, password_hash: str, now: datetime) -> None:
    username = email.partition("@")[0][:64]
    made = await repository.insert_account(
        connection, email=email, username=username, password_hash=password_hash, now=now
    )
    if made is None:
        raise Refused(f"there is an account {email} already; use set-password")


async def _set_password(
    connection: Connection, email: str, password_hash: str, now: datetime
) -> None:
    account = await repository.find_account(connection, email)
    if account is None:
        raise Refused(f"there is no account {email}; use add")
    await repository.renew_hash(connection, account.id, password_hash)
    await repository.confirm(connection, account.id, now)
    await one_time_repository.delete_all(connection, account.id)
    await repository.revoke_sessions(connection, account.id, now)


def _checked(email: str, password: str) -> SignUp:
    try:
        return TypeAdapter(SignUp).validate_python({"email": email, "password": password})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Refused(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
