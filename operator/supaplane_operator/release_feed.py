"""Are there newer releases where SERVICE_VERSION_URL points to? The leader asks now and then.

Nothing waits for the answer: without one, everything goes on with the releases that are known.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

import aiohttp

from supaplane_kube import KubeError

from .catalogue import Catalogue
from .releases.offer import MOST_BYTES, read

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 3600.0
FIRST_PAUSE: Final = 30.0
"""After an attempt that failed; later ones grow up to the usual time."""
ANSWER_SECONDS: Final = 20.0
HEADERS: Final = {
    "Accept": "application/json, application/yaml",
    # what is compressed can be very much longer than it looks
    "Accept-Encoding": "identity",
}


class NoOffer(Exception):
    """There was no answer, or not the one that was asked for."""


class ReleaseFeed:
    """Asks, and lets the catalogue take in what is new."""

    def __init__(
        self,
        url: str,
        catalogue: Catalogue,
        *,
        changed: Callable[[], None],
        count: Callable[[str], None],
    ) -> None:
        """`changed` is called when there are new releases; `count` is told how each attempt
        went."""
        self._url = url
        self._catalogue = catalogue
        self._changed = changed
        self._count = count
        self._refused: tuple[str, ...] = ()

    async def run(self) -> None:
        """Asks until cancelled. Raises LeaseLost."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(
            timeout=timeout,
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session:
            pause = FIRST_PAUSE
            while True:
                if await self.ask(session):
                    pause = FIRST_PAUSE
                    await asyncio.sleep(REFRESH_SECONDS * random.uniform(0.8, 1.2))
                else:
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                    pause = min(REFRESH_SECONDS, pause * 2)

    async def ask(self, session: aiohttp.ClientSession) -> bool:
        """Once. Whether there was an offer and it could be kept."""
        try:
            document = await self._fetch(session)
            # by a thread, for a long document takes a while
            entries = await asyncio.to_thread(read, document)
            taken = await self._catalogue.take_in(entries)
        except (NoOffer, ValueError, KubeError) as error:
            log.warning("no newer releases from SERVICE_VERSION_URL: %s", error)
            self._count("failed")
            return False
        if taken.refused != self._refused:
            for why in taken.refused:
                log.warning("SERVICE_VERSION_URL: %s", why)
            self._refused = taken.refused
        if taken.new:
            log.info("new releases: %s", ", ".join(sorted(taken.new)))
            self._changed()
        self._count("refused" if taken.refused else "ok")
        return True

    async def _fetch(self, session: aiohttp.ClientSession) -> bytes:
        """The document. The address may hold what is not for logs."""
        try:
            async with session.get(self._url, allow_redirects=False) as response:
                if response.status != 200:
                    raise NoOffer(f"HTTP {response.status}")
                document = b""
                async for chunk in response.content.iter_any():
                    document += chunk
                    if len(document) > MOST_BYTES:
                        raise NoOffer(f"it is longer than {MOST_BYTES} bytes")
                return document
        except TimeoutError:
            raise NoOffer(f"no answer within {ANSWER_SECONDS:.0f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoOffer(f"no answer ({type(error).__name__})") from None
