"""What the log refuses, and why: one error for everything that is read from others or from disk."""

from __future__ import annotations

from dualrandom.errors import DualRandomError

_KEEP_ZH = "不要采信这份文件；请向发布方重新获取，并保留被拒绝的文件作为证据。"
_KEEP_EN = "Do not rely on this file; get it again from its publisher and keep the refused copy as evidence."


class LogError(DualRandomError):
    """A note, checkpoint, proof, policy, entry, key or log folder that must not be relied on."""


def refusal(
    code: str, value: str, zh: str, en: str, *, remedy_zh: str = _KEEP_ZH, remedy_en: str = _KEEP_EN
) -> LogError:
    """Return the error that says in two languages what is wrong; ``value`` is cut to 200 characters."""
    return LogError(code, value[:200], {"zh": zh, "en": en}, {"zh": remedy_zh, "en": remedy_en})
