"""How often may somebody try? Token buckets in the memory of this process, bounded in number.

With several replicas each counts for itself, so that the true limit is that many times higher; that
is enough against guessing, for what costs us is bounded by the password threads anyway. When all
buckets are taken, the one that was used longest ago is forgotten.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from supaplane_api.problems import TooMany

MOST_BUCKETS = 20_000


@dataclass
class _Bucket:
    level: float
    at: float


class Limiter:
    """At most `burst` at once and `burst` per `seconds` from one key."""

    def __init__(
        self,
        *,
        burst: int,
        seconds: float,
        most: int = MOST_BUCKETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = float(burst)
        self._rate = burst / seconds
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[bytes, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, *parts: str) -> None:
        """Takes one. Raises TooMany with the time until the next."""
        bucket = self._bucket(_key(parts))
        if bucket.level < 1.0:
            seconds = (1.0 - bucket.level) / self._rate
            raise TooMany("Too many attempts: wait before you try again", seconds=seconds)
        bucket.level -= 1.0

    def allows(self, *parts: str) -> bool:
        """Takes one if there is one."""
        try:
            self.take(*parts)
        except TooMany:
            return False
        return True

    def give_back(self, *parts: str) -> None:
        """Gives one back: the attempt was right."""
        bucket = self._bucket(_key(parts))
        bucket.level = min(self._burst, bucket.level + 1.0)

    def forget(self, *parts: str) -> None:
        """Forgets all attempts: who made them has shown that they may."""
        self._buckets.pop(_key(parts), None)

    def _bucket(self, key: bytes) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        bucket.level = min(self._burst, bucket.level + (now - bucket.at) * self._rate)
        bucket.at = now
        self._buckets[key] = bucket
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


class Limits:
    """All limits of this process."""

    def __init__(
        self, *, signups_per_hour: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.sign_in_pair = Limiter(burst=10, seconds=300.0, clock=clock)
        """Wrong passwords for one account from one address."""
        self.sign_in_address = Limiter(burst=100, seconds=300.0, clock=clock)
        """Wrong passwords from one address, whatever the account."""
        self.refresh_address = Limiter(burst=300, seconds=60.0, clock=clock)
        self.sign_up = Limiter(burst=signups_per_hour, seconds=3600.0, clock=clock)
        self.factor = Limiter(burst=10, seconds=300.0, clock=clock)
        """Wrong codes for one account, from wherever: who sends them knows its password already."""
        self.invite = Limiter(burst=50, seconds=3600.0, clock=clock)
        """Invitations by one account from one address."""
        self.mail_recipient = Limiter(burst=5, seconds=3600.0, clock=clock)
        """Mails that anybody asks for to one address, whether it has an account or not."""
        self.mail_address = Limiter(burst=30, seconds=3600.0, clock=clock)
        """Mails that are asked for from one address."""
        self.verify_email = Limiter(burst=10, seconds=300.0, clock=clock)
        """Wrong codes for one e-mail address, from wherever."""
        self.verify_address = Limiter(burst=50, seconds=300.0, clock=clock)
        """Wrong links and codes from one address."""
        self.current_password = Limiter(burst=10, seconds=300.0, clock=clock)
        """Wrong passwords of one account from within its sessions."""
        self.reveal = Limiter(burst=1, seconds=3600.0, clock=clock)
        """Rows of the audit log about a page with keys that somebody sees."""
        self.rotate = Limiter(burst=20, seconds=3600.0, clock=clock)
        """New secrets of one project, by whomever: each replaces pods."""
        self.estimate = Limiter(burst=60, seconds=60.0, clock=clock)


def network_of(address: str | None) -> str:
    """What counts as one address: all of an IPv6 /64 is one customer's."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _key(parts: tuple[str, ...]) -> bytes:
    """Of one length, however long what was sent."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
