"""What every route and every job works with: settings, database, vault, clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database, utc_now
from dualrandom.store.workspace import Keeping
from dualrandom_api.service.documents import DocumentCache
from dualrandom_api.service.limits import AtOnce
from dualrandom_api.service.metrics import Metrics
from dualrandom_api.service.oidc import Provider
from dualrandom_api.service.passwords import Passwords
from dualrandom_api.service.sealing import Sealer
from dualrandom_api.service.settings import Settings

Clock = Callable[[], datetime]

_around: ContextVar[Session | None] = ContextVar("transaction_of_the_request", default=None)


class ServiceDatabase(Database):
    """A database whose writing transactions join the one around the request, if the request has one.

    A request with an Idempotency-Key has: its answer is kept in the same transaction as what it did, so a repeated request
    does nothing twice, whenever the server may have died.
    """

    @contextmanager
    def writing(self, *, apart: bool = False) -> Iterator[Session]:
        """Yield a session that is committed at the end, or by the transaction around it."""
        around = _around.get()
        if around is not None:
            # what a route catches and survives must leave nothing behind
            with around.begin_nested():
                yield around
            return
        with super().writing(apart=apart) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that changes nothing; within the request's transaction it sees what that has done so far."""
        around = _around.get()
        if around is not None:
            yield around
            return
        with super().reading() as session:
            yield session

    @contextmanager
    def around(self, session: Session) -> Iterator[None]:
        """Let every writing transaction of this context join ``session``."""
        token = _around.set(session)
        try:
            yield
        finally:
            _around.reset(token)


@dataclass(frozen=True)
class Service:
    """The parts of a running service. All instants come from ``clock``."""

    settings: Settings
    database: ServiceDatabase
    vault: Vault
    passwords: Passwords
    secret: bytes
    """The service key's bytes; keys for cookies, codes and kept answers are derived from it."""
    answers: Sealer
    """Seals the answers that are kept for an Idempotency-Key."""
    provider: Provider | None
    documents: DocumentCache
    metrics: Metrics
    clock: Clock = utc_now
    followers: AtOnce = field(default_factory=lambda: AtOnce(20))
    """Streams of events that are open."""
    making: AtOnce = field(default_factory=lambda: AtOnce(2))
    """Files to download that are being made: each takes a thread and a connection to the database."""
    uploading: AtOnce = field(default_factory=lambda: AtOnce(4))
    """Uploads that are being received or read: each is whole in memory."""

    @property
    def keeping(self) -> Keeping:
        """Where the engine's steps find draws."""
        return Keeping(self.database, self.vault, self.temp)

    @property
    def temp(self) -> Path:
        """Where jobs unpack draws: a private folder, made when first asked for."""
        folder = self.settings.data / "work"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
