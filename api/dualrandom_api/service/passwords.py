"""Passwords: argon2id (RFC 9106), and the same work whether or not there is such a user."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher, Type, extract_parameters
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
        self._work = extract_parameters(self._nobody)

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
        """Tell whether a password is that of a hash. Without a hash the same work is done, and the answer is no.

        With a hash of other settings both are done: less work would tell that there is such a user.
        """
        with self._few:
            right = self._verified(kept, password) if kept is not None else False
            if kept is None or self._is_other(kept):
                self._verified(self._nobody, password)
        return right

    def renewed(self, kept: str | None, password: str) -> str | None:
        """Return a hash of a password that is right, if the one that is kept was made with other settings, else None."""
        if kept is None or not self._is_other(kept):
            return None
        with self._few:
            return self._hasher.hash(password[:LONGEST])

    def _verified(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False

    def _is_other(self, kept: str) -> bool:
        try:
            return extract_parameters(kept) != self._work
        except InvalidHashError:
            return True
