"""A receipt as texts for QR codes, and back to the byte: raw deflate, written in decimal digits, split over several codes.

Each code holds ``DUALRANDOM:1:<number>/<codes>:<tag>:<digits>``. The tag is the first 8 hex digits (upper case) of the
receipt's SHA-256, so codes of two receipts are not mixed; the digits are one decimal number, the bytes of the part behind
a byte 1. QR codes keep digits in 3⅓ bits each, denser than base45, and digits survive being copied, sent and wrapped.
"""

from __future__ import annotations

import hashlib
import re
import zlib

from dualrandom.errors import DualRandomError

MARK = "DUALRANDOM:1:"
SMALL, LARGE = 600, 950
"""Bytes in a code at most: at error correction M versions 19 and 25, 93 and 117 modules, which a phone reads from paper."""
FEW = 6
"""With more small codes than this, fewer large ones are the lesser trouble."""
LARGEST = 1 << 20
"""Bytes of a receipt at most: what scanned texts may unfold to."""
_CODE = re.compile(r"DUALRANDOM:1:([0-9]{1,3})/([0-9]{1,3}):([0-9A-F]{8}):([0-9]{1,2500})")


def texts_of(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return for each code its head (alphanumeric) and its digits, to be written one after the other."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    codes = -(-len(packed) // SMALL)
    if codes > FEW:
        codes = -(-len(packed) // LARGE)
    # parts of one size give codes of one size
    size = -(-len(packed) // codes)
    parts = [packed[start : start + size] for start in range(0, len(packed), size)]
    tag = _tag(data)
    return tuple(
        (f"{MARK}{number}/{len(parts)}:{tag}:", str(int.from_bytes(b"\x01" + part)))
        for number, part in enumerate(parts, 1)
    )


def is_scanned(data: bytes) -> bool:
    """Say whether bytes are texts of scanned codes rather than a receipt's file."""
    return MARK.encode() in data[: 1 << 16]


def from_texts(text: str) -> bytes:
    """Return the receipt from the texts of all its codes, in any order, whatever stands between them.

    Raises DualRandomError ``codes-missing`` (names the missing numbers), ``codes-mixed``, ``codes-damaged``.
    """
    found = {(tag, int(codes), int(number)): digits for number, codes, tag, digits in _CODE.findall(text)}
    kinds = {(tag, codes) for tag, codes, _ in found}
    if len(kinds) != 1:
        raise _refused(
            "codes-mixed" if kinds else "codes-damaged",
            ", ".join(sorted(tag for tag, _ in kinds)),
            "其中有不止一份回执的二维码" if kinds else "其中没有完整的二维码文本",
            "these are codes of more than one receipt" if kinds else "there is no whole text of a code in it",
        )
    ((tag, codes),) = kinds
    missing = [str(number) for number in range(1, codes + 1) if (tag, codes, number) not in found]
    if missing:
        numbers = ", ".join(missing)
        raise _refused("codes-missing", numbers, f"缺少第 {numbers} 个二维码", f"code {numbers} is missing")
    try:
        packed = b"".join(_part(found[tag, codes, number]) for number in range(1, codes + 1))
        reader = zlib.decompressobj(-15)
        data = reader.decompress(packed, LARGEST)
        whole = reader.eof and not reader.unused_data
    except (ValueError, zlib.error):
        whole, data = False, b""
    if not whole or _tag(data) != tag:
        raise _refused("codes-damaged", tag, "二维码的文本有损坏", "the text of a code is damaged")
    return data


def _part(digits: str) -> bytes:
    number = int(digits)
    data = number.to_bytes((number.bit_length() + 7) // 8)
    if data[:1] != b"\x01":
        raise ValueError(digits)
    return data[1:]


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8].upper()


def _refused(code: str, value: str, zh: str, en: str) -> DualRandomError:
    return DualRandomError(
        code,
        value,
        {"zh": zh, "en": en},
        {
            "zh": "把同一页上每个二维码的文本都存入一个文件，一行一个，次序不限。",
            "en": "Save the texts of all codes of one page in one file, one a line, in any order.",
        },
    )
