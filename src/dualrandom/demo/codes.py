"""Invented unified social credit codes with valid check digits (GB 32100-2015, GB 11714-1997).

Their organisation part begins with XN (虚拟), so that it does not look like one in use.
"""

from functools import cache
from itertools import product

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: digits and capital letters without I, O, S, V, Z."""
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11714: weights of the organisation code's eight places."""
PREFIX = "XN"
BODY_CHECKS = "0123456789X"

_HALVES = ["".join(digits) for digits in product("0123456789", repeat=3)]


@cache
def _head_weight(head: str) -> int:
    return _weigh(head, WEIGHTS[:10])


def _weigh(text: str, weights: tuple[int, ...]) -> int:
    return sum(ALPHABET.index(character) * weight for character, weight in zip(text, weights, strict=True))


_BODY_START = sum(
    (int(character, 36)) * weight for character, weight in zip(PREFIX, BODY_WEIGHTS[:2], strict=True)
)
_BODY_HALVES = tuple(
    [_weigh(half, weights) for half in _HALVES] for weights in (BODY_WEIGHTS[2:5], BODY_WEIGHTS[5:])
)
_CODE_HALVES = tuple(
    [_weigh(half, weights) for half in _HALVES] for weights in (WEIGHTS[10:13], WEIGHTS[13:16])
)


def credit_code(kind: str, registrar: str, number: int) -> str:
    """The code of an invented body: `kind` is two digits, `registrar` six (GB/T 2260), `number` below 10^6.

    >>> credit_code("91", "420700", 1)
    '91420700XN000001XX'
    """
    head = kind + registrar + PREFIX
    first, second = divmod(number, 1000)
    body_sum = _BODY_START + _BODY_HALVES[0][first] + _BODY_HALVES[1][second]
    body_check = BODY_CHECKS[-body_sum % 11]
    total = _head_weight(head) + _CODE_HALVES[0][first] + _CODE_HALVES[1][second]
    total += ALPHABET.index(body_check) * WEIGHTS[16]
    return f"{head}{number:06d}{body_check}{ALPHABET[-total % 31]}"
