"""Writes the proof vectors beside this file; also the slow, literal RFC 6962 §2.1 that the tests hold the log against.

    python tests/log/vectors/merkle_vectors.py

inclusion/<case>/ and consistency/<case>/ each hold one happy-path.json, and one file for each lie, named for it.
Numbers are JSON integers, hashes base64, `wantErr` says whether a checker must refuse. Nothing here imports the
package.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def mth(entries: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return leaf(entries[0])
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, word for word."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.2, word for word."""
    return subproof(m, entries, whole=True)


def subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def entries_of(size: int) -> list[bytes]:
    return [f"entry {number}\n".encode() * (number % 3) for number in range(size)]


def flipped(value: bytes, bit: int = 4) -> bytes:
    return bytes([value[0] ^ 1 << bit]) + value[1:]


GARBAGE = hashlib.sha256(b"garbage").digest()


def inclusion(index: int, size: int) -> dict[str, dict[str, Any]]:
    entries = entries_of(size)
    good: dict[str, Any] = {
        "index": index,
        "size": size,
        "leaf": leaf(entries[index]),
        "root": mth(entries),
        "proof": path(index, entries),
    }
    hashes = list(good["proof"])
    lies: dict[str, dict[str, Any]] = {
        "index-plus-1": {"index": index + 1},
        "index-minus-1": {"index": index - 1},
        "index-xor-2": {"index": index ^ 2},
        "index-negative-of-size": {"index": index - size},
        "index-equals-size": {"index": size},
        "size-doubled": {"size": size * 2},
        "size-halved": {"size": size // 2},
        # a size of the same height can have the same proof: that is why root and size are signed together
        "size-of-a-taller-tree": {"size": 2 ** (size - 1).bit_length() + 1},
        "size-zero": {"size": 0},
        "another-leaf": {"leaf": leaf(b"another")},
        "leaf-not-prefixed": {"leaf": hashlib.sha256(entries[index]).digest()},
        "random-root": {"root": GARBAGE},
        "empty-root": {"root": b""},
        "root-of-empty-tree": {"root": mth([])},
        "leading-garbage": {"proof": [GARBAGE, *hashes]},
        "trailing-garbage": {"proof": [*hashes, GARBAGE]},
        "trailing-root": {"proof": [*hashes, good["root"]]},
        "leading-root": {"proof": [good["root"], *hashes]},
        "trailing-empty-hash": {"proof": [*hashes, b""]},
    }
    if hashes:
        lies |= {
            "first-hash-removed": {"proof": hashes[1:]},
            "last-hash-removed": {"proof": hashes[:-1]},
            "proof-removed": {"proof": []},
            "first-hash-changed": {"proof": [flipped(hashes[0]), *hashes[1:]]},
            "last-hash-changed": {"proof": [*hashes[:-1], flipped(hashes[-1])]},
            "short-hash": {"proof": [hashes[0][:-1], *hashes[1:]]},
            "hashes-not-split": {"proof": [b"".join(hashes)] if len(hashes) > 1 else [hashes[0] * 2]},
        }
    if len(hashes) > 1:
        lies["hashes-reversed"] = {"proof": hashes[::-1]}
    return cases(good, lies)


def consistency(old: int, size: int) -> dict[str, dict[str, Any]]:
    entries = entries_of(size)
    good: dict[str, Any] = {
        "old": old,
        "size": size,
        "oldRoot": mth(entries[:old]),
        "root": mth(entries),
        "proof": proof(old, entries) if old else [],
    }
    hashes = list(good["proof"])
    fork = [*entries[:-1], b"another"]
    lies: dict[str, dict[str, Any]] = {
        "roots-swapped": {"oldRoot": good["root"], "root": good["oldRoot"]},
        "sizes-swapped": {"old": size, "size": old},
        "old-root-changed": {"oldRoot": flipped(good["oldRoot"])},
        "root-of-a-fork": {"root": mth(fork)},
        "root-empty": {"root": b""},
        "leading-garbage": {"proof": [GARBAGE, *hashes]},
        "trailing-garbage": {"proof": [*hashes, GARBAGE]},
        "trailing-root": {"proof": [*hashes, good["root"]]},
        "leading-old-root": {"proof": [good["oldRoot"], *hashes]},
        "old-minus-1": {"old": old - 1},
    }
    if old == 0:
        # any root is consistent with nothing, and two empty trees may be swapped
        del lies["root-of-a-fork"]
    if old == size:
        del lies["roots-swapped"], lies["sizes-swapped"]
        lies["root-of-a-fork"] = {"root": mth(fork)}
    if hashes:
        lies |= {
            "old-plus-1": {"old": old + 1},
            "size-of-a-taller-tree": {"size": 2 ** (size - 1).bit_length() + 1},
            "proof-removed": {"proof": []},
            "first-hash-removed": {"proof": hashes[1:]},
            "last-hash-removed": {"proof": hashes[:-1]},
            "first-hash-changed": {"proof": [flipped(hashes[0]), *hashes[1:]]},
            "last-hash-changed": {"proof": [*hashes[:-1], flipped(hashes[-1])]},
            "short-hash": {"proof": [hashes[0][:-1], *hashes[1:]]},
        }
    return cases(good, lies)


def cases(good: dict[str, Any], lies: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        "happy-path": written(good) | {"wantErr": False},
        **{name: written(good | lie) | {"wantErr": True} for name, lie in lies.items()},
    }


def written(case: dict[str, Any]) -> dict[str, Any]:
    return {key: text(value) for key, value in case.items()}


def text(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return [text(item) for item in value] if isinstance(value, list) else value


def vectors() -> dict[str, str]:
    """Path → contents of every vector."""
    files = {}
    for index, size in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (6, 7), (255, 256), (256, 257), (99, 300)):
        for name, case in inclusion(index, size).items():
            files[f"inclusion/{index}-of-{size}/{name}.json"] = case
    for old, size in ((0, 5), (1, 8), (6, 8), (2, 5), (3, 7), (7, 7), (256, 257), (100, 300)):
        for name, case in consistency(old, size).items():
            files[f"consistency/{old}-to-{size}/{name}.json"] = case
    return {name: json.dumps(case, indent=1) + "\n" for name, case in files.items()}


if __name__ == "__main__":
    for name, contents in vectors().items():
        target = HERE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(contents, "utf-8")
