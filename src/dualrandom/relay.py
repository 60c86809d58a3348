"""Getting a beacon's round over the network, and waiting for it through an outage: wait, never replace.

Relays are not trusted: what one answers is evidence of exactly the wanted round, or nothing. Whoever cannot reach any of
them brings the same bytes as a file.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException

from dualrandom.beacon import KINDS, read_evidence
from dualrandom.errors import DualRandomError

RELAYS = (
    "https://api.drand.sh",
    "https://api2.drand.sh",
    "https://api3.drand.sh",
    "https://drand.cloudflare.com",
)
"""Public relays of the League of Entropy; any other will do."""
PATIENCE = 10.0
"""Seconds that a relay has for an answer."""
LARGEST_ANSWER = 64 * 1024
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts, doubled each time."""

Get = Callable[[str], bytes]
"""Gets an address. Raises OSError if it has nothing to give."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A round: of which beacon, when it is due, and by when it must be there (None: no deadline)."""

    kind: str
    source: str
    round: str
    due: datetime
    deadline: datetime | None = None

    @property
    def name(self) -> str:
        """How errors call it."""
        return f"{self.kind} {self.source} {self.round}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one round of asking gave: the evidence's bytes, checked, or why each relay gave none."""

    data: bytes | None
    failures: tuple[tuple[str, str, str], ...] = ()
    """(relay, reason in Chinese, reason in English)"""


def http_get(address: str) -> bytes:
    """Get an address over HTTPS or HTTP; at most 64 KiB. Raises OSError."""
    if urllib.parse.urlsplit(address).scheme not in {"https", "http"}:
        raise OSError(f"{address} is no address of the web")
    request = urllib.request.Request(address, headers={"User-Agent": "dualrandom"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            data: bytes = answer.read(LARGEST_ANSWER + 1)
    except (HTTPException, ValueError) as problem:
        raise OSError(str(problem)) from problem
    if len(data) > LARGEST_ANSWER:
        raise OSError("the answer is too long")
    return data


def ask(wanted: Wanted, relays: Sequence[str] = RELAYS, get: Get = http_get) -> Attempt:
    """Ask one relay after the other for a round, until one gives evidence that holds."""
    path = KINDS[wanted.kind].path if wanted.kind in KINDS else None
    if path is None:
        return Attempt(None)
    failures = []
    for relay in relays:
        try:
            data = get(f"{relay.rstrip('/')}/{path(wanted.source, wanted.round)}")
            read_evidence(wanted.kind, wanted.round, data, relay)
        except OSError as problem:
            failures.append((relay, "没有应答或没有这一轮", f"no answer, or not this round: {problem}"))
        except DualRandomError as problem:
            failures.append((relay, problem.message("zh"), problem.message("en")))
        else:
            return Attempt(data, tuple(failures))
    return Attempt(None, tuple(failures))


def wait(
    wanted: Wanted,
    look: Callable[[], Attempt],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    tell: Callable[[Attempt, float], None],
) -> bytes:
    """Look for a round until it is there; before it is due, sleep. ``tell`` hears of each attempt in vain and the pause after it.

    The attempts go on for as long as it takes; at the deadline this raises DualRandomError ``beacon-overdue``, so that
    somebody hears of it. Calling again goes on waiting.
    """
    pause = FIRST_PAUSE
    while (seconds := (wanted.due - now()).total_seconds()) > 0:
        sleep(min(seconds, LONGEST_PAUSE))
    while True:
        attempt = look()
        if attempt.data is not None:
            return attempt.data
        if wanted.deadline is not None and now() >= wanted.deadline:
            raise _overdue(wanted, attempt)
        tell(attempt, pause)
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _overdue(wanted: Wanted, attempt: Attempt) -> DualRandomError:
    assert wanted.deadline is not None
    reasons = {
        "zh": "；".join(f"{relay}：{zh}" for relay, zh, _ in attempt.failures),
        "en": "; ".join(f"{relay}: {en}" for relay, _, en in attempt.failures),
    }
    deadline = f"{wanted.deadline:%Y-%m-%dT%H:%M:%SZ}"
    return DualRandomError(
        "beacon-overdue",
        wanted.name,
        {
            "zh": f"期限 {deadline} 已过，仍没有信标 {wanted.kind} 第 {wanted.round} 轮"
            + _behind("（", reasons["zh"], "）"),
            "en": f"{deadline} has passed without {wanted.kind} round {wanted.round}"
            + _behind(" (", reasons["en"], ")"),
        },
        {
            "zh": "不可换用其他轮次。继续等待：再次运行同一命令；或以此为由作废：dualrandom void --reason …。",
            "en": "No other round will do. Go on waiting: run this again; or void the draw with this reason: "
            "dualrandom void --reason ….",
        },
    )


def _behind(opening: str, text: str, closing: str) -> str:
    return f"{opening}{text}{closing}" if text else ""
