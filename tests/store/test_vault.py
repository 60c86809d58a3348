"""What is sealed at rest opens whole, for what it belongs to, under its own key, or is told as damage."""

import hashlib

import pytest

from dualrandom.errors import IntegrityError
from dualrandom.store.blobs import NONCE_BYTES, Vault
from dualrandom.store.tables import Blob

CUTS = (0, 1, NONCE_BYTES - 1, NONCE_BYTES, NONCE_BYTES + 1, -1)
"""How many bytes are left; below eight the cipher refuses the nonce itself."""


def test_a_sealed_text_opens_for_what_it_belongs_to(vault: Vault) -> None:
    sealed = vault.seal("口令", "visit:1")
    assert "口令".encode() not in sealed
    assert vault.unseal(sealed, "visit:1") == "口令"
    assert vault.seal("口令", "visit:1") != sealed
    with pytest.raises(IntegrityError, match="blob-damaged"):
        vault.unseal(sealed, "visit:2")
    with pytest.raises(IntegrityError, match="blob-damaged"):
        Vault(bytes(32)).unseal(sealed, "visit:1")


@pytest.mark.parametrize("left", CUTS)
def test_a_sealed_text_that_was_cut_is_damaged(vault: Vault, left: int) -> None:
    with pytest.raises(IntegrityError, match="blob-damaged"):
        vault.unseal(vault.seal("口令", "visit:1")[:left], "visit:1")


@pytest.mark.parametrize("left", CUTS)
def test_a_sealed_file_that_was_cut_is_damaged(vault: Vault, left: int) -> None:
    content = "检查记录".encode()
    sha256 = hashlib.sha256(content).hexdigest()
    kept = vault.seal(content.decode(), sha256)
    blob = Blob(sha256=sha256, size=len(content), sealed=True, content=kept)
    assert vault.opened(blob) == content
    blob.content = kept[:left]
    with pytest.raises(IntegrityError, match="blob-damaged"):
        vault.opened(blob)
