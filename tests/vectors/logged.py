"""A log for the vectors, written from docs/protocol.md §11, RFC 6962 and C2SP alone: keys are fixed, nothing is random.

`publish(story)` is the `beside` of a case: it logs the finished record as the story says, honestly or not.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "log.example/test"
LOG = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
SUCCESSOR = Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
WITNESSES = {
    "chamber.example/w1": Ed25519PrivateKey.from_private_bytes(b"\x11" * 32),
    "university.example/w2": Ed25519PrivateKey.from_private_bytes(b"\x12" * 32),
}
EARLY = 1692770400
"""2023-08-23T06:00:00Z, ten hours before quicknet's round 1000."""
LATE = 1692806364
"""The second in which round 1000 was due."""
AFTER = 1692900000
OTHER = "test-2023-000002"


def jcs(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def key_id(name: str, kind: int, key: Ed25519PrivateKey) -> bytes:
    public = key.public_key().public_bytes_raw()
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name: str, kind: int, key: Ed25519PrivateKey) -> str:
    material = base64.b64encode(bytes([kind]) + key.public_key().public_bytes_raw()).decode()
    return f"{name}+{key_id(name, kind, key).hex()}+{material}"


POLICY = "".join(
    [
        f"log {vkey(ORIGIN, 1, LOG)}\n",
        *(f"witness w{n} {vkey(name, 4, key)}\n" for n, (name, key) in enumerate(WITNESSES.items(), 1)),
        "group both all w1 w2\nquorum both\n",
    ]
).encode()
"""What the readers of the vectors trust."""


def tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, literally."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def line(name: str, kind: int, key: Ed25519PrivateKey, value: bytes) -> bytes:
    return f"— {name} {base64.b64encode(key_id(name, kind, key) + value).decode()}\n".encode()


def note(text: str, signers: Iterable[Ed25519PrivateKey]) -> bytes:
    """A note that the log's keys signed."""
    lines = b"".join(line(ORIGIN, 1, key, key.sign(text.encode())) for key in signers)
    return text.encode() + b"\n" + lines


class Book:
    """A log in the making. Documents are hashed with ``h``. ``extension``: further lines of its checkpoints."""

    extension = ""

    def __init__(self, h: Callable[[bytes], bytes]) -> None:
        self.h = h
        self.entries: list[bytes] = []
        self.last: dict[str, str] = {}
        self.announcements: dict[str, bytes] = {}
        self.signer = self.first = LOG
        self.notes: list[bytes] = []

    def add(self, kind: str, draw: str, document: bytes, **false: Any) -> None:
        digest = self.h(document).hex()
        entry = {
            "digest": digest,
            "draw": draw,
            "prev": self.last.get(draw),
            "size": len(document),
            "type": kind,
        }
        data = jcs(entry | false)
        self.entries.append(data)
        self.last[draw] = hashlib.sha256(data).hexdigest()
        if kind == "ANNOUNCE":
            self.announcements[digest] = document

    @property
    def leaves(self) -> list[bytes]:
        return [hashlib.sha256(b"\x00" + entry).digest() for entry in self.entries]

    def checkpoint(self, cosigned: Iterable[tuple[str, int]] = ()) -> bytes:
        """The checkpoint of all entries so far, cosigned by witnesses at these seconds."""
        root = base64.b64encode(tree_hash(self.leaves)).decode()
        text = f"{ORIGIN}\n{len(self.entries)}\n{root}\n{self.extension}"
        note = text.encode() + b"\n" + line(ORIGIN, 1, self.signer, self.signer.sign(text.encode()))
        for name, time in cosigned:
            key = WITNESSES[name]
            signature = key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
            note += line(name, 4, key, time.to_bytes(8, "big") + signature)
        return note

    def rotate(self, new: Ed25519PrivateKey, *signers: Ed25519PrivateKey) -> None:
        """Hand over to another key; both sign, or who is said to."""
        old, self.signer = self.signer, new
        keys = [vkey(ORIGIN, 1, old), vkey(ORIGIN, 1, new)]
        text = "\n".join(["dualrandom/v1/rotation", ORIGIN, *keys, "2023-08-23T07:00:00Z"]) + "\n"
        self.notes.append(note(text, signers or (old, new)))

    def revoke(self, key: Ed25519PrivateKey, time: str, *signers: Ed25519PrivateKey) -> None:
        """Say that a key counts no more; the current one signs, or who is said to."""
        lines = ["dualrandom/v1/revocation", ORIGIN, vkey(ORIGIN, 1, key), time, "被盗 stolen"]
        self.notes.append(note("\n".join(lines) + "\n", signers or (self.signer,)))

    def files(self) -> dict[str, bytes]:
        """The published log."""
        tiles = dict(tiles_of("entries", [len(entry).to_bytes(2, "big") + entry for entry in self.entries]))
        level, hashes = 0, self.leaves
        while hashes:
            tiles |= dict(tiles_of(str(level), hashes))
            full = range(0, len(hashes) - len(hashes) % 256, 256)
            level, hashes = level + 1, [tree_hash(hashes[at : at + 256]) for at in full]
        return {
            "log/log.vkey": f"{vkey(ORIGIN, 1, self.first)}\n".encode(),
            **{f"log/keys/{number:06d}.note": note for number, note in enumerate(self.notes, 1)},
            "log/checkpoint": self.checkpoint((name, AFTER) for name in WITNESSES),
            **tiles,
            **{f"log/documents/{digest}": data for digest, data in self.announcements.items()},
        }


def tiles_of(level: str, parts: list[bytes]) -> Iterable[tuple[str, bytes]]:
    """The tiles of one level of a small tree (C2SP tlog-tiles): path and bytes."""
    for start in range(0, len(parts), 256):
        some = parts[start : start + 256]
        width = "" if len(some) == 256 else f".p/{len(some)}"
        yield f"log/tile/{level}/{start // 256:03d}{width}", b"".join(some)


def at(time: int) -> list[tuple[str, int]]:
    """All witnesses at one second."""
    return [(name, time) for name in WITNESSES]


def another(built: Any, **fields: Any) -> bytes:
    """The announcement of another draw of the authority."""
    return jcs(built.announcement | {"draw": OTHER, "plan": "2023-10"} | fields)


class Story:
    """What is logged and when, step by step; lies override a step. Afterwards `files` is all that is published."""

    kinds: ClassVar = {
        "exclude": "EXCLUDE",
        "substitute": "SUBSTITUTE",
        "replace": "AMEND",
        "withdraw": "AMEND",
    }

    def __init__(self, built: Any, files: dict[str, bytes]) -> None:
        self.built = built
        self.draw = built.draw
        self.book = Book(built.h)
        # the draws without a log were announced after a round of 2023, and say so
        labels = json.loads(built.public["labels.json"]) | {"rehearsal": False}
        self.files = {"labels.json": jcs(labels)} | files

    def tell(self) -> dict[str, bytes]:
        self.before()
        self.announce()
        self.log_other()
        self.reveal()
        self.cosign()
        self.late()
        self.drawn()
        self.afterwards()
        return self.files | self.book.files()

    def before(self) -> None:
        """What the log held already."""

    def announce(self) -> None:
        self.book.add("ANNOUNCE", self.draw, self.built.public["announcement.json"])

    def log_other(self) -> None:
        self.book.add("ANNOUNCE", OTHER, self.other())

    def other(self) -> bytes:
        """A draw of another plan, still open."""
        return another(self.built)

    def revealed(self) -> list[str]:
        return [party for party, (_, shown) in sorted(self.built.case.nonces.items()) if shown]

    def reveal(self) -> None:
        for party in self.revealed():
            nonce = self.built.case.nonces[party][0]
            data = jcs({"draw": self.draw, "nonce": nonce, "party": party, "type": "dualrandom/v1/reveal"})
            self.files[f"reveals/{party}.json"] = data
            self.book.add("REVEAL", self.draw, data)

    def cosign(self) -> None:
        self.files["announced.checkpoint"] = self.book.checkpoint(at(EARLY))

    def late(self) -> None:
        """Between the announced checkpoint and the beacon nothing of this draw is logged."""

    def drawn(self) -> None:
        if "result.json" not in self.built.public:
            return
        for kind, name in (("BEACON", "beacon.json"), ("RESULT", "result.json")):
            self.book.add(kind, self.draw, self.built.public[name])

    def afterwards(self) -> None:
        for number, row in enumerate(self.files.get("changes.jsonl", b"").splitlines(), 1):
            change = json.loads(row)
            self.amended(self.kinds[change["type"]], row)
            if change["type"] == "exclude" and change["beacon"] is not None:
                self.excluded(number)
        ends = (("findings.json", "FINDINGS"), ("attest.json", "ATTEST"), ("void.json", "VOID"))
        for name, kind in ends:
            if name in self.files:
                self.book.add(kind, self.draw, self.files[name])

    def amended(self, kind: str, row: bytes) -> None:
        self.book.add(kind, self.draw, row)

    def excluded(self, number: int) -> None:
        """The witnesses cosign an exclusion in the last second before its round."""
        self.files[f"exclusions/{number}.checkpoint"] = self.book.checkpoint(at(LATE + 2))


class AfterVoid(Story):
    """The second draw of a plan whose first one was voided before its round."""

    def before(self) -> None:
        for kind, name in (("ANNOUNCE", "announcement.json"), ("VOID", "void.json")):
            first = "test-2023-000001"
            self.book.add(kind, first, self.files[f"voided/{first}/{name}"])

    def other(self) -> bytes:
        return another(self.built, draw="test-2023-000003")

    def log_other(self) -> None:
        self.book.add("ANNOUNCE", "test-2023-000003", self.other())


class Rotated(Story):
    """The log's key is handed over before the draw; afterwards the old key is revoked."""

    def late(self) -> None:
        self.rotate()

    def rotate(self) -> None:
        self.book.rotate(SUCCESSOR)

    def afterwards(self) -> None:
        super().afterwards()
        self.revoke()

    def revoke(self) -> None:
        self.book.revoke(LOG, "2023-08-24T00:00:00Z")


class Interrupted(Story):
    """The beacon is logged, and no result was published yet."""

    def drawn(self) -> None:
        scratch = copy.copy(self.built)
        scratch.public = {}
        scratch.make_seed()
        self.files["beacon.json"] = scratch.public["beacon.json"]
        self.book.add("BEACON", self.draw, self.files["beacon.json"])


class Long(Story):
    """More entries than one tile holds, and a line in each checkpoint that this protocol does not know."""

    def before(self) -> None:
        self.book.extension = "seen by nobody in particular\n"
        other = another(self.built, authority="else", draw="else-2023-000001")
        self.book.add("ANNOUNCE", "else-2023-000001", other)
        for number in range(255):
            self.book.add("REVEAL", "else-2023-000001", str(number).encode())


class Unwitnessed(Story):
    """Exclusions of which no cosigned checkpoint was kept."""

    def excluded(self, number: int) -> None:
        """Nothing is kept."""


Beside = Callable[[Any], dict[str, bytes]]


def publish(story: type[Story] = Story, first: Beside | None = None) -> Beside:
    """Return the `beside` of a case that tells this story of the record and what `first` puts beside it."""
    return lambda built: story(built, {} if first is None else first(built)).tell()
