"""What the node's own two controllers need of an API server: to write, and to know what is there.

`Mirror` is the usual list-then-watch: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Object = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
WATCH_SECONDS = 300
# A watch that says nothing for longer than it was asked to last is a broken connection.
SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=WATCH_SECONDS + 30)
RETRY_AFTER = 1.0
# Objects are small here, but one with a long status can be a megabyte.
LINE_LIMIT = 8 * 1024 * 1024


class Refused(Exception):
    """The API server answered, and not with what was asked for. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """An async context manager around one connection pool, by a kubeconfig of ours."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster = config["clusters"][0]["cluster"]
        self._server: str = cluster["server"]
        self._token: str = config["users"][0]["user"]["token"]
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode("ascii")
        self._tls = ssl.create_default_context(cadata=ca)

    async def __aenter__(self) -> Api:
        self._session = aiohttp.ClientSession(
            headers={
                "Authorization": f"Bearer {self._token}",
                "User-Agent": "supaplane-devcluster",
            },
            connector=aiohttp.TCPConnector(ssl=self._tls),
            read_bufsize=LINE_LIMIT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Object:
        """The decoded answer. Raises Refused, or aiohttp.ClientError if there was none."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": kind}
        async with self._session.request(
            method, self._server + path, data=data, headers=headers,
            timeout=aiohttp.ClientTimeout(total=10),
        ) as answer:  # fmt: skip
            if answer.status >= 400:
                raise Refused(answer.status, (await answer.text())[:300])
            decoded: Object = await answer.json()
            return decoded

    async def watch(self, path: str, version: str, each: Callable[[Object], None]) -> None:
        """Calls `each` with every event after a resource version, until the server ends it.

        Raises Refused, also when the server says so in an event (410: too old).
        """
        query = {
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
            "allowWatchBookmarks": "true",
        }
        async with self._session.get(self._server + path, params=query, timeout=SILENCE) as answer:
            if answer.status >= 400:
                raise Refused(answer.status, (await answer.text())[:300])
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise Refused(status.get("code", 500), status.get("message", ""))
                each(event)


class Mirror:
    """All objects of one kind, as they are now; `changed` is called after each change."""

    def __init__(self, path: str, changed: Callable[[], None]) -> None:
        self._path = path
        self._changed = changed
        self._objects: dict[tuple[str, str], Object] = {}
        self._version = ""
        self.is_complete = asyncio.Event()

    @property
    def objects(self) -> list[Object]:
        return list(self._objects.values())

    async def follow(self, api: Api) -> None:
        """For ever; what goes wrong is said, and tried again."""
        while True:
            try:
                await self._list(api)
                while True:
                    await api.watch(self._path, self._version, self._apply)
            except Refused as error:
                if error.status != 410:
                    await _again(self._path, error)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                await _again(self._path, error)

    async def _list(self, api: Api) -> None:
        answer = await api.request("GET", self._path)
        self._objects = {_key(item["metadata"]): item for item in answer["items"]}
        self._version = answer["metadata"]["resourceVersion"]
        self.is_complete.set()
        self._changed()

    def _apply(self, event: Object) -> None:
        item = event["object"]
        self._version = item["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return
        if event["type"] == "DELETED":
            self._objects.pop(_key(item["metadata"]), None)
        else:
            self._objects[_key(item["metadata"])] = item
        self._changed()


def _key(metadata: Mapping[str, Any]) -> tuple[str, str]:
    return metadata.get("namespace", ""), metadata["name"]


async def _again(what: str, error: BaseException) -> None:
    say(f"{what}: {error!r}; trying again")
    await asyncio.sleep(RETRY_AFTER)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
