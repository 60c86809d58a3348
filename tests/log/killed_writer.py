"""A writer that is killed: run by test_log_kill.py, one command a line on its standard input.

    python killed_writer.py FOLDER

    in NAME              work in FOLDER/NAME from now on: public/, private/, acknowledged
    after MICROSECONDS   start a writer, kill it with SIGKILL after that time, say "killed" or "finished"
    at N                 start a writer that kills itself just before its Nth change of the file system
    fill                 begin a log of 253 entries, the announcements of as many draws
    finish               let a writer finish what others began

A writer begins the log if need be and tells draw after draw, a document at a time; the n-th draw to which it comes is
its last when it is told to finish. It notes each entry's index in `acknowledged` once `append` has returned.
Children are forked, so a kill costs milliseconds instead of an interpreter's start.
"""

import os
import signal
import sys
import time
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import EntryType
from dualrandom.log.note import Signer
from dualrandom.log.storage import Document, Log, create_log

SIGNER = Signer("log.example/killed", Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
WITNESS = Cosigner("witness.example/killed", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
KINDS = (EntryType.ANNOUNCE, EntryType.REVEAL, EntryType.BEACON, EntryType.RESULT, EntryType.FINDINGS)
FILLED = 253
CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.mkdir"})


def documents(number: int) -> list[Document]:
    draw = f"ezhou-2026-{number:06d}"
    return [Document(draw, kind, f"{draw} {kind.value}\n".encode()) for kind in KINDS]


def write(public: Path, private: Path, acknowledged: Path, *, finish: bool) -> None:
    create_log(public, private, SIGNER)
    with Log.open(public, private) as log, acknowledged.open("ab", buffering=0) as notes:
        begun = max(log.chains.numbers.values(), default=1)
        for number in count(begun if begun == FILLED else 1):
            for document in documents(number):
                (logged,) = log.append([document], SIGNER)
                notes.write(b"%d\n" % logged.index)
                if not logged.repeated:
                    text = log.checkpoint.text
                    log.add_cosignatures(text, [WITNESS.cosign(text, 1_800_000_000)], [WITNESS.key])
            if finish and number >= begun:
                return


def fill(public: Path, private: Path) -> None:
    create_log(public, private, SIGNER)
    with Log.open(public, private) as log:
        # one document for all: what is tested are the tiles
        log.append(
            [Document(f"ezhou-2026-{n:06d}", EntryType.ANNOUNCE, b"same\n") for n in range(1, FILLED)], SIGNER
        )
        log.append(documents(FILLED)[:1], SIGNER)


def die_before_change(number: int) -> None:
    """From here on, the Nth opening for writing, rename, removal or new folder is preceded by SIGKILL."""
    left = [number]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = (
            event == "open"
            and isinstance(arguments[2], int)
            and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        )
        if writes or event in CHANGES:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def child(folder: Path, command: str, number: int) -> None:
    if command == "fill":
        fill(folder / "public", folder / "private")
        return
    if command == "at":
        die_before_change(number)
    write(folder / "public", folder / "private", folder / "acknowledged", finish=command != "after")


def main() -> None:
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        command, _, value = line.strip().partition(" ")
        if command == "in":
            folder = Path(sys.argv[1]) / value
            folder.mkdir()
            print("in", flush=True)
            continue
        process = os.fork()
        if not process:
            try:
                child(folder, command, int(value or 0))
            except BaseException as problem:
                print(f"error {problem!r}", flush=True)
                os._exit(1)
            os._exit(0)
        if command == "after":
            time.sleep(int(value) / 1e6)
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        print("killed" if os.WIFSIGNALED(status) else "finished", flush=True)


if __name__ == "__main__":
    main()
