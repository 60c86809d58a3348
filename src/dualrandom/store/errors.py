"""Why the store refuses something. The class says how a service answers it, the code which case it is.

Every one has a stable code, the offending value, and what is wrong and what to do next in both languages.
"""

from __future__ import annotations

from dualrandom.errors import DualRandomError


class UnknownError(DualRandomError):
    """There is no such thing, or it is not the asker's to see (404)."""


class ForbiddenError(DualRandomError):
    """The asker may see it, but not do this (403)."""


class ConflictError(DualRandomError):
    """It is not possible in the present state (409)."""


class RefusedError(DualRandomError):
    """What was sent cannot be accepted (422)."""


def unknown(code: str, value: str, zh: str, en: str) -> UnknownError:
    """Return the error for something that is not there, with the usual remedy."""
    remedy_zh, remedy_en = (
        "核对编号；列表中只有您可以看到的对象。",
        "Check the id; lists show what you may see.",
    )
    return UnknownError(code, value, {"zh": zh, "en": en}, {"zh": remedy_zh, "en": remedy_en})
