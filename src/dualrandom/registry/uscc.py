"""The unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last one a check digit.

The alphabet leaves out I, O, S, V and Z, because they are mistaken for digits; that is also how most wrong codes
arise. The check digit is the ISO 7064 MOD 31-3 one of the standard's annex: weights are powers of 3 modulo 31.
"""

from __future__ import annotations

import re
from operator import mul

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
LENGTH = 18

# Registrar and kind of body may be letters (N2: a village's economic collective); the division code is six digits.
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_VALUE_OF_BYTE = bytes(ALPHABET.find(chr(byte)) % 256 for byte in range(256))
_CHECKS = tuple(ALPHABET[(31 - total) % 31] for total in range(31))
_LOOKALIKES = str.maketrans("OIZSVL", "0125U1")


def is_uscc(code: str) -> bool:
    """Whether ``code`` is written as the standard says, with upper-case letters and the right check digit."""
    return _SHAPE.fullmatch(code) is not None and _CHECKS[_weighted(code)] == code[17]


def is_shaped(code: str) -> bool:
    """Whether ``code`` has the length and the characters of the standard, whatever its check digit."""
    return _SHAPE.fullmatch(code) is not None


def check_digit(first: str) -> str:
    """Return the 18th character for the first 17, which must be in the alphabet."""
    return _CHECKS[_weighted(first)]


def _weighted(code: str) -> int:
    total: int = sum(map(mul, WEIGHTS, code.encode().translate(_VALUE_OF_BYTE)))
    return total % 31


def suggestion(code: str) -> str | None:
    """Return the valid code that ``code`` most evidently stands for, or None.

    Letters that the standard does not use are read as the digits they resemble; if the check digit still does not fit,
    it is the one corrected, because no other character can be told to be wrong.
    """
    read = code.upper()
    if not is_shaped(read):
        read = "".join(
            character if character in ALPHABET and not 2 <= place < 8 else character.translate(_LOOKALIKES)
            for place, character in enumerate(read)
        )
    return read[:17] + check_digit(read[:17]) if is_shaped(read) else None
