"""The log's Merkle tree: roots, proofs, and checking proofs (RFC 6962 §2.1, RFC 9162 §2.1.3–2.1.4; SHA-256).

Roots and proofs are computed from a function that gives the hash of a *node*, a perfect subtree: node (level k,
index i) covers the entries i·2^k … (i+1)·2^k − 1. Checking needs no tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from dualrandom.log.errors import LogError, refusal

Node = Callable[[int, int], bytes]
"""(level, index) of a perfect subtree to its hash, 32 raw bytes."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def parent_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes_of(leaves: Sequence[bytes]) -> Node:
    """Return the node function of a tree that is given by all its leaf hashes."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([parent_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def root(size: int, node: Node) -> bytes:
    """Return the tree hash of the first ``size`` entries."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """Return the path of entry ``index`` in the tree of ``size`` entries, leaf's sibling first.

    Raises LogError ``proof-out-of-range`` unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise _out_of_range(f"{index}/{size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, size: int, node: Node) -> tuple[bytes, ...]:
    """Return the proof that the tree of ``old`` entries is a prefix of the tree of ``size`` entries.

    Empty for old = 0 and old = size. Raises LogError ``proof-out-of-range`` unless 0 ≤ old ≤ size.
    """
    if not 0 <= old <= size:
        raise _out_of_range(f"{old}/{size}")
    if old in {0, size}:
        return ()
    path: list[bytes] = []
    start, end = 0, size
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    if start:
        path.append(_range_hash(start, end, node))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> None:
    """Check that the leaf hash stands at ``index`` of the tree of ``size`` entries with this root.

    Raises LogError ``inclusion-refused``.
    """
    _check_hashes("inclusion-refused", (leaf, root_hash, *proof))
    if not 0 <= index < size:
        raise _refused("inclusion-refused", "序号不小于树的大小", "the index is not below the tree's size")
    position, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _refused("inclusion-refused", "证明过长", "the proof is too long")
        if position & 1 or position == last:
            value = parent_hash(sibling, value)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            value = parent_hash(value, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _refused("inclusion-refused", "证明过短", "the proof is too short")
    if value != root_hash:
        raise _refused("inclusion-refused", "算出的根散列不同", "it leads to another root hash")


def verify_consistency(
    old: int, old_root: bytes, size: int, root_hash: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``old`` entries with ``old_root`` is a prefix of that of ``size`` entries with ``root_hash``.

    Raises LogError ``consistency-refused``.
    """
    code = "consistency-refused"
    _check_hashes(code, (old_root, root_hash, *proof))
    if not 0 <= old <= size:
        raise _refused(code, "旧树大于新树", "the old tree is larger than the new one")
    if (old == 0 and old_root != EMPTY_ROOT) or (size == 0 and root_hash != EMPTY_ROOT):
        raise _refused(code, "空树的根散列不对", "not the root hash of an empty tree")
    if old in {0, size}:
        if proof:
            raise _refused(code, "此处证明应为空", "the proof must be empty here")
        if old == size and old_root != root_hash:
            raise _refused(code, "大小相同而根散列不同", "same size, different root hashes")
        return
    hashes = list(proof)
    if old & (old - 1) == 0:
        # the old tree is one node of the new one, which the proof therefore leaves out
        hashes.insert(0, old_root)
    if not hashes:
        raise _refused(code, "证明过短", "the proof is too short")
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_value = new_value = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise _refused(code, "证明过长", "the proof is too long")
        if position & 1 or position == last:
            old_value = parent_hash(sibling, old_value)
            new_value = parent_hash(sibling, new_value)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new_value = parent_hash(new_value, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _refused(code, "证明过短", "the proof is too short")
    if old_value != old_root or new_value != root_hash:
        raise _refused(code, "算出的根散列不同", "it leads to other root hashes")


def _split(count: int) -> int:
    """Return the largest power of two below ``count`` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(start: int, end: int, node: Node) -> bytes:
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return parent_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _check_hashes(code: str, hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise _refused(code, "散列不是 32 字节", "a hash is not 32 bytes long")


def _refused(code: str, zh: str, en: str) -> LogError:
    kind = (
        ("包含证明", "inclusion proof")
        if code == "inclusion-refused"
        else ("一致性证明", "consistency proof")
    )
    return refusal(code, "", f"{kind[0]}不成立：{zh}", f"the {kind[1]} does not hold: {en}")


def _out_of_range(value: str) -> LogError:
    return refusal(
        "proof-out-of-range",
        value,
        "日志没有这么多条目",
        "the log does not have that many entries",
        remedy_zh="序号从 0 开始，须小于检查点的大小。",
        remedy_en="Indices count from 0 and are below the checkpoint's size.",
    )
