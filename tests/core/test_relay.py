"""A beacon's round over the network: waited for through an outage, never replaced, believed only if its signature holds."""

from __future__ import annotations

import doctest
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dualrandom import beacon, campaign
from dualrandom.beacon import read_evidence, rfc3797_keystring
from dualrandom.campaign.fetching import fetch, next_round, wait_for
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError
from dualrandom.relay import LONGEST_PAUSE, Attempt, http_get

NOW = datetime(2023, 8, 1, tzinfo=UTC)
DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
DATA = json.loads((Path(__file__).parents[1] / "data" / "drand-quicknet.json").read_bytes())
ROUNDS = [{key: one[key] for key in ("randomness", "round", "signature")} for one in DATA["valid"]]


def round_1000() -> dict[str, object]:
    return dict(next(one for one in ROUNDS if one["round"] == 1000))


def lies() -> dict[str, bytes]:
    """What a relay may answer that is not round 1000."""
    honest = round_1000()
    other = next(one for one in ROUNDS if one["round"] != 1000)
    signature = str(honest["signature"])
    identity = "c0" + "00" * 47
    told: dict[str, object] = {
        "another round": other,
        "another round under this number": {**other, "round": 1000},
        "one bit of the signature": {**honest, "signature": f"{int(signature, 16) ^ 1:096x}"},
        "the identity point": {
            "round": 1000,
            "signature": identity,
            "randomness": hashlib.sha256(bytes.fromhex(identity)).hexdigest(),
        },
        "other randomness": {**honest, "randomness": "00" * 32},
        "no signature": {"round": 1000, "randomness": honest["randomness"]},
        "a list": [honest],
    }
    return {
        "no JSON": b"<html>502</html>",
        "nothing": b"",
        "too much": b" " * 100_000,
        **{name: json.dumps(value).encode() for name, value in told.items()},
    }


@dataclass
class Relay:
    """A relay of drand on this machine. ``answer``: what it says to everything, None: 503."""

    address: str
    answer: bytes | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def relay() -> Iterator[Relay]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            self.send_response(503 if told.answer is None else 200)
            self.end_headers()
            self.wfile.write(told.answer or b"")

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told = Relay(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@dataclass
class Clock:
    """A clock that a sleeper moves; ``then`` is told how often it was slept."""

    time: datetime
    slept: list[float] = field(default_factory=list)
    then: Callable[[int], None] = lambda _: None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.then(len(self.slept))


@pytest.fixture(scope="module")
def announced_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    (folder / "beacon.json").unlink()
    campaign.announce(folder, now=NOW)
    return folder


@pytest.fixture
def town(announced_town: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(announced_town, tmp_path / "campaign"))


def test_a_draw_waits_through_an_outage_and_lies_and_resumes_by_itself(town: Path, relay: Relay) -> None:
    needed = next_round(town)
    assert needed is not None
    told = iter(lies().values())
    clock = Clock(DUE - timedelta(minutes=90))
    heard: list[Attempt] = []

    def relay_goes_on(times: int) -> None:
        assert not needed.is_there()
        if clock.time < DUE + timedelta(minutes=2):
            return
        # first it is down, then it lies, then it answers
        relay.answer = next(told, json.dumps(round_1000()).encode())

    clock.then = relay_goes_on
    nobody = "http://127.0.0.1:1"
    wait_for(
        needed,
        relays=(nobody, relay.address),
        now=clock.now,
        sleep=clock.sleep,
        tell=lambda attempt, pause: heard.append(attempt),
    )
    assert json.loads(needed.path.read_bytes()) == round_1000()
    assert len(heard) > len(lies())
    assert all({one[0] for one in attempt.failures} == {nobody, relay.address} for attempt in heard)
    assert all(zh and en for attempt in heard for _, zh, en in attempt.failures)
    assert max(clock.slept) <= LONGEST_PAUSE
    assert {path.rpartition("/")[2] for path in relay.asked} == {"1000"}
    campaign.draw(town)
    published = json.loads((town / "public" / "beacon.json").read_bytes())
    assert published["signature"] == round_1000()["signature"]


def test_nothing_is_asked_before_the_round_is_due(town: Path, relay: Relay) -> None:
    relay.answer = json.dumps(round_1000()).encode()
    needed = next_round(town)
    assert needed is not None
    early = DUE - timedelta(seconds=1)
    assert fetch(needed, relays=(relay.address,), now=lambda: early).data is None
    assert relay.asked == []
    assert fetch(needed, relays=(relay.address,), now=lambda: DUE).data == relay.answer
    # once it is there no relay is asked again
    relay.answer = None
    assert fetch(needed, relays=(relay.address,), now=lambda: DUE).failures == ()


@pytest.mark.parametrize("lie", lies())
def test_no_lie_of_a_relay_is_kept(lie: str, town: Path, relay: Relay) -> None:
    relay.answer = lies()[lie]
    needed = next_round(town)
    assert needed is not None
    attempt = fetch(needed, relays=(relay.address,), now=lambda: DUE)
    assert attempt.data is None
    assert [one[0] for one in attempt.failures] == [relay.address]
    assert not needed.is_there()


def test_a_wait_alarms_at_the_deadline_and_goes_on_when_it_is_started_again(town: Path, relay: Relay) -> None:
    needed = next_round(town)
    assert needed is not None
    deadline = needed.wanted.deadline
    assert deadline is not None
    clock = Clock(deadline - timedelta(minutes=10))
    with pytest.raises(DualRandomError) as alarm:
        wait_for(needed, relays=(relay.address,), now=clock.now, sleep=clock.sleep)
    assert alarm.value.code == "beacon-overdue"
    assert relay.address in alarm.value.message("zh")
    assert deadline <= clock.time < deadline + timedelta(seconds=LONGEST_PAUSE)
    assert not needed.is_there()
    relay.answer = json.dumps(round_1000()).encode()
    wait_for(needed, relays=(relay.address,), now=clock.now, sleep=clock.sleep)
    campaign.draw(town)


def test_a_file_ends_the_wait_where_there_is_no_network_and_a_half_copied_one_does_not(town: Path) -> None:
    needed = next_round(town)
    assert needed is not None
    honest = json.dumps(round_1000()).encode()
    clock = Clock(DUE)

    def bring(times: int) -> None:
        needed.path.write_bytes(honest[:40] if times < 3 else honest)

    clock.then = bring
    wait_for(needed, relays=(), now=clock.now, sleep=clock.sleep)
    assert len(clock.slept) == 3
    assert needed.path.read_bytes() == honest


def test_a_draw_that_needs_no_round_waits_for_none(town: Path) -> None:
    needed = next_round(town)
    assert needed is not None
    needed.path.write_text(json.dumps(round_1000()))
    campaign.draw(town)
    assert next_round(town) is None
    change = campaign.exclude(
        town,
        json.loads((town / "public" / "result.json").read_bytes())["visits"][0]["enterprise"],
        "suspended",
        None,
        datetime(2023, 8, 24, tzinfo=UTC),
    )
    following = next_round(town)
    assert following is not None
    assert following.wanted.round == change.row["beacon"]["round"] != "1000"
    assert following.path.name == f"beacon-{following.wanted.round}.json"


def test_only_addresses_of_the_web_are_asked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    with pytest.raises(OSError, match="no address of the web"):
        http_get((tmp_path / "secret").as_uri())


def test_key_strings_are_those_of_rfc_3797() -> None:
    assert doctest.testmod(beacon).attempted >= 1
    numbers = [[9319], [2, 5, 12, 8, 10], [9, 18, 26, 34, 41, 45]]
    text = rfc3797_keystring(numbers)
    given = read_evidence("keystring", "x", json.dumps({"numbers": numbers}).encode(), "lottery.json")
    written = read_evidence("keystring", "x", json.dumps({"keystring": text}).encode(), "lottery.json")
    assert given == written
    assert given.randomness == hashlib.sha256(text.encode()).hexdigest()
    wrongs: tuple[object, ...] = ([], [[]], [1], [[-1]], [[True]], [["1"]], {"a": 1}, [[1], None])
    for wrong in wrongs:
        with pytest.raises(DualRandomError, match="beacon-file"):
            read_evidence("keystring", "x", json.dumps({"numbers": wrong}).encode(), "lottery.json")
