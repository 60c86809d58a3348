"""How often one address may ask: a token bucket each, in this process's memory; and how much one actor may have done at once.

Several servers each count their own; a proxy before them can count for all. Tries of passwords and codes are counted in the database
besides (:mod:`dualrandom.store.tries`). An IPv6 address counts as its /64, which one subscriber has.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from starlette.types import Scope

from dualrandom_api.service.problems import refusal

MOST_ADDRESSES: Final = 50_000


class Limit:
    """At most ``per_minute`` requests from one address, and as many at once."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.burst = float(per_minute)
        self.rate = per_minute / 60
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, address: str) -> int:
        """Count a request; return 0, or after how many seconds to come again if it is one too many."""
        now = self._monotonic()
        left, since = self._buckets.get(address, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        if left < 1:
            return max(1, round((1 - left) / self.rate))
        if len(self._buckets) >= MOST_ADDRESSES:
            self._forget(now)
        self._buckets[address] = (left - 1, now)
        return 0

    def _forget(self, now: float) -> None:
        """Drop full buckets; if all are in use, the half that has waited longest."""
        full = [
            key for key, (left, at) in self._buckets.items() if left + (now - at) * self.rate >= self.burst
        ]
        oldest = sorted(self._buckets, key=lambda key: self._buckets[key][1])[: MOST_ADDRESSES // 2]
        for key in full or oldest:
            del self._buckets[key]


class AtOnce:
    """At most ``most`` of something dear at once for one actor, in this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def under_way(self, actor: str) -> int:
        """Return how many an actor has."""
        return self._under_way.get(actor, 0)

    @contextmanager
    def one_more(self, actor: str) -> Iterator[None]:
        """Count one for as long as the block lasts. Raises RefusalError ``too-many-requests`` if it is one too many."""
        with self._lock:
            if self._under_way.get(actor, 0) >= self.most:
                raise refusal("too-many-requests", headers={"Retry-After": "10"})
            self._under_way[actor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[actor] -= 1
                if not self._under_way[actor]:
                    del self._under_way[actor]


def address_of(scope: Scope, proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    """Return the client's address: the nearest one in X-Forwarded-For that is no trusted proxy, if a trusted one sent it."""
    client = scope.get("client")
    address: str = client[0] if client else ""
    if not proxies:
        return _subscriber(address)
    if _trusted(address, proxies):
        forwarded = [
            part.strip()
            for name, value in scope["headers"]
            if name == b"x-forwarded-for"
            for part in value.decode("latin-1").split(",")
        ]
        for one in reversed(forwarded):
            if not _is_address(one):
                break
            address = one
            if not _trusted(one, proxies):
                break
    return _subscriber(address)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(text: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    if not _is_address(text):
        return False
    address = ipaddress.ip_address(text)
    return any(address.version == proxy.version and address in proxy for proxy in proxies)


def _subscriber(address: str) -> str:
    if ":" not in address or not _is_address(address):
        return address
    return str(ipaddress.ip_network((address, 64), strict=False).network_address)
