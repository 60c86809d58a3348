"""kill -9 at any moment of an append: nothing acknowledged is lost, nothing is torn or doubled, and a rerun finishes."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dualrandom.log.entry import EntryType, chains_of, parse_entry
from dualrandom.log.fsck import fsck
from dualrandom.log.note import VerifierKey, parse_note
from dualrandom.log.reader import CHECKPOINT, LogReader

WRITER = Path(__file__).with_name("killed_writer.py")
KILLS = 500 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40
STEP = 1 if os.environ.get("DUALRANDOM_DEEP") == "1" else 17
LONGEST_MICROSECONDS = 120_000

Ask = Callable[[str], str]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    command = [sys.executable, str(WRITER), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def asked(line: str) -> str:
            stdin.write(f"{line}\n")
            stdin.flush()
            return str(stdout.readline()).strip()

        yield asked
        stdin.close()
        assert process.wait() == 0


def published(folder: Path) -> tuple[bytes, ...]:
    """What the public sees at this moment: always a whole, verified log, or none yet."""
    reader = LogReader(folder)
    if reader.file(CHECKPOINT) is None:
        return ()
    entries = reader.entries()
    for data in entries:
        document = reader.document(parse_entry(data).digest)
        assert document is not None
        assert parse_entry(data).is_of(document)
    chains_of(entries)
    return entries


def acknowledged(folder: Path) -> int:
    path = folder / "acknowledged"
    return max((int(line) + 1 for line in path.read_text("ascii").split()), default=0) if path.exists() else 0


def assert_finished(folder: Path) -> None:
    entries = published(folder / "public")
    told = [(parse_entry(data).draw, parse_entry(data).type) for data in entries]
    kinds = (EntryType.ANNOUNCE, EntryType.REVEAL, EntryType.BEACON, EntryType.RESULT, EntryType.FINDINGS)
    assert told == [
        (f"ezhou-2026-{number:06d}", kind) for number in range(1, len(told) // 5 + 1) for kind in kinds
    ]
    assert len(told) >= 5
    problems = fsck(folder / "public")
    assert {problem.code for problem in problems if problem.severity == "error"} == set()
    # the writer's witness is no witness that this reader knows
    assert {problem.code for problem in problems} <= {"signature-unknown"}


def test_writers_killed_at_random_moments_lose_tear_and_double_nothing(tmp_path: Path, ask: Ask) -> None:
    chance = random.Random(20260901)
    before: tuple[bytes, ...] = ()
    killed = 0
    for _ in range(KILLS):
        killed += ask(f"after {chance.randrange(LONGEST_MICROSECONDS)}") == "killed"
        entries = published(tmp_path / "public")
        assert entries[: len(before)] == before
        assert len(entries) >= acknowledged(tmp_path)
        before = entries
    assert killed == KILLS
    assert ask("finish") == "finished"
    assert published(tmp_path / "public")[: len(before)] == before
    assert_finished(tmp_path)


def test_a_writer_killed_before_any_change_of_the_file_system_is_finished_by_the_next(
    tmp_path: Path, ask: Ask
) -> None:
    before: tuple[bytes, ...] = ()
    signed: dict[int, str] = {}
    number = 0
    answer = "killed"
    while answer == "killed":
        number += 1
        # an own log for each number would show only the first change; going on in one log, they meet every state
        answer = ask(f"at {number}")
        assert answer in {"killed", "finished"}
        entries = published(tmp_path / "public")
        assert entries[: len(before)] == before
        assert len(entries) >= acknowledged(tmp_path)
        before = entries
        for path in sorted((tmp_path / "public").glob("checkpoints/[0-9]*")):
            text = parse_note(path.read_bytes()).text
            assert signed.setdefault(int(path.name), text) == text
    assert number > 20
    assert_finished(tmp_path)


def test_each_step_of_one_append_can_be_the_last_before_a_crash(tmp_path: Path, ask: Ask) -> None:
    """For every step of beginning a log and telling a draw: a crash there, and then a rerun, on a log of its own."""
    number = 1
    while ask(f"in {number}") == "in" and ask(f"at {number}") == "killed":
        assert ask("finish") == "finished"
        assert_finished(tmp_path / str(number))
        number += STEP
    assert number > 100
    assert_finished(tmp_path / str(number))


def test_a_writer_killed_while_tiles_fill_up_is_finished_by_the_next(tmp_path: Path, ask: Ask) -> None:
    assert ask("fill") == "finished"
    number = 1
    while ask(f"at {number}") == "killed":
        assert len(published(tmp_path / "public")) >= max(253, acknowledged(tmp_path))
        number += STEP // 4 + 1
    assert number > 10
    assert len(published(tmp_path / "public")) == 257
    assert not list((tmp_path / "public").glob("tile/*/000.p/[0-9]*[0-9][0-9]"))
    problems = fsck(tmp_path / "public")
    assert {problem.code for problem in problems} <= {"signature-unknown"}


def test_the_key_that_begins_a_log_is_never_lost_with_it(tmp_path: Path, ask: Ask) -> None:
    for number in range(1, 12):
        ask(f"at {number}")
        reader = LogReader(tmp_path / "public")
        if reader.file(CHECKPOINT) is not None:
            assert isinstance(reader.first_key, VerifierKey)
            assert reader.checkpoint().origin == "log.example/killed"
