"""The few reads that tell whether a cluster is ready. Not a client for anybody else."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any


class ApiClient:
    """GET with the administrator's token, over loopback only.

    `place` is entered for each request: the network whose loopback is meant, if not this one.
    """

    def __init__(
        self,
        server: str,
        ca_file: Path,
        token: str,
        place: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._server = server
        self._token = token
        self._place = place
        # No proxy: the address is this machine's, whatever the environment says.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca_file))),
        )

    def get(self, path: str, timeout: float = 2.0) -> Any | None:
        """The decoded answer; None if there is none, or not a good one."""
        body = self._read(path, timeout)
        if body is None:
            return None
        with contextlib.suppress(ValueError):
            return json.loads(body)
        return None

    def answers(self, path: str, timeout: float = 2.0) -> bool:
        return self._read(path, timeout) is not None

    def _read(self, path: str, timeout: float) -> bytes | None:
        request = urllib.request.Request(
            self._server + path,
            headers={
                "Authorization": f"Bearer {self._token}",
                "User-Agent": "supaplane-devcluster",
            },
        )
        try:
            with self._place(), self._opener.open(request, timeout=timeout) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except (OSError, http.client.HTTPException):
            return None
