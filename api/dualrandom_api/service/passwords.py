"""Passwords: argon2id (RFC 9106), and the same work whether or not there is such a user."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from dualrandom.store.errors import RefusedError
from dualrandom_api.service.settings import PasswordSettings

LONGEST = 256
AT_ONCE = 4
"""Hashes at a time: each takes tens of megabytes."""


class Passwords:
    """Hashes and checks passwords with the settings' work."""

    def __init__(self, settings: PasswordSettings) -> None:
        self.settings = settings
        self._hasher = PasswordHasher(
            time_cost=settings.time_cost,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            type=Type.ID,
        )
        self._few = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def hashed(self, password: str, username: str) -> str:
        """Return the hash of a new password. Raises RefusedError ``password-weak``."""
        least = self.settings.least_length
        weak = (
            not least <= len(password) <= LONGEST
            or len(set(password)) < 5
            or username.casefold() in password.casefold()
        )
        if weak:
            raise RefusedError(
                "password-weak",
                "",
                {"zh": "密码过于简单", "en": "the password is too easy to guess"},
                {
                    "zh": f"至少 {least} 个字符，至少 5 种不同字符，且不含用户名。",
                    "en": f"Use at least {least} characters, 5 different ones, and not the user name.",
                },
            )
        with self._few:
            return self._hasher.hash(password)

    def is_right(self, kept: str | None, password: str) -> bool:
        """Tell whether a password is that of a hash. Without a hash the same work is done, and the answer is no."""
        with self._few:
            try:
                self._hasher.verify(kept or self._nobody, password[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None
