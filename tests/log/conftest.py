"""What the tests of the log share: keys, folders, the story of a draw, and the literal RFC 6962."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import EntryType
from dualrandom.log.note import Signer
from dualrandom.log.storage import Document, Log, create_log

ORIGIN = "log.example/ezhou"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a power cut tells whether fsync was called; the writers that tests kill call it nevertheless."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def rfc6962() -> ModuleType:
    folder = str(Path(__file__).resolve().parent / "vectors")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("merkle_vectors")


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))


@pytest.fixture(scope="session")
def successor() -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))


@pytest.fixture(scope="session")
def cosigners() -> tuple[Cosigner, ...]:
    names = ("chamber.example/w1", "university.example/w2", "audit.example/w3")
    return tuple(
        Cosigner(name, Ed25519PrivateKey.from_private_bytes(bytes([16 + i]) * 32))
        for i, name in enumerate(names)
    )


@pytest.fixture(scope="session")
def story() -> Callable[[int], list[Document]]:
    """A draw's documents in the order in which they are logged."""

    def documents(number: int) -> list[Document]:
        draw = f"ezhou-2026-{number:06d}"
        kinds = (EntryType.ANNOUNCE, EntryType.REVEAL, EntryType.BEACON, EntryType.RESULT, EntryType.FINDINGS)
        return [Document(draw, kind, f'{{"draw":"{draw}","type":"{kind.value}"}}'.encode()) for kind in kinds]

    return documents


@pytest.fixture
def new_log(tmp_path: Path, signer: Signer) -> Callable[[], Log]:
    """Opens a log in public/ and private/ of the test's folder; begins it at the first call."""

    def opened() -> Log:
        create_log(tmp_path / "public", tmp_path / "private", signer)
        return Log.open(tmp_path / "public", tmp_path / "private", patience=0)

    return opened
