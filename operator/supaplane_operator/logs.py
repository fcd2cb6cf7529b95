"""What does a log line look like? JSON or text, with the project it is about; never a secret."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

_ABOUT: ContextVar[tuple[str, str] | None] = ContextVar("about", default=None)
QUIET: Final = ("kopf", "aiohttp.access", "asyncio")
"""Loggers of others that say much at INFO."""


@contextlib.contextmanager
def about(key: tuple[str, str], ref: str) -> Iterator[None]:
    """Lines written inside are about this SupabaseProject."""
    token = _ABOUT.set(("/".join(key), ref))
    try:
        yield
    finally:
        _ABOUT.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message, and the project if there is one."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        subject = _ABOUT.get()
        if subject:
            line |= {"project": subject[0], "ref": subject[1]}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, project, message."""
        when = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        subject = _ABOUT.get()
        whom = f" [{subject[0]}]" if subject else ""
        text = f"{when} {record.levelname:<7}{whom} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def set_up(
    form: Literal["json", "text"],
    level: str,
    *,
    drop: logging.Filter | None = None,
    stream: TextIO = sys.stderr,
) -> None:
    """All lines of this process go to one stream in one form, but for those that `drop` drops."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    if drop:
        handler.addFilter(drop)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
