"""How often one address may ask: a token bucket each, in this process's memory.

Several servers each count their own; a proxy before them can count for all. Tries of passwords and codes are counted in the database
besides (:mod:`dualrandom.store.tries`). An IPv6 address counts as its /64, which one subscriber has.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from starlette.types import Scope

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
