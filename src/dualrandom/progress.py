"""How a long step says what it is doing, without knowing who listens."""

from collections.abc import Callable

Progress = Callable[[str, str], None]
"""Called with the Chinese and the English name of the stage that begins."""


def silent(zh: str, en: str) -> None:
    """Report nothing."""
