"""Speaks to the management API as any client would: JSON over HTTP with a bearer token."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import aiohttp


class ApiRefused(Exception):
    """The API answered with an error; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


class Rest:
    """One session with the API."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.token = token
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """The parsed answer. Raises ApiRefused for 4xx and 5xx, aiohttp.ClientError without one."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._session.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            answer = await response.json(content_type=None) if response.content_length != 0 else {}
            if response.status >= 400:
                details = answer if isinstance(answer, dict) else {}
                message = details.get("message") or details.get("msg") or str(answer)
                raise ApiRefused(response.status, str(message))
            return answer
