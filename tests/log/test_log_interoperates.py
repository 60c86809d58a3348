"""A client that knows only the C2SP pages, written without the package: it follows a published log from raw files."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import EntryType
from dualrandom.log.note import Signer
from dualrandom.log.storage import Document, Log

SIZE = 600


def signatures_of(note: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    text, _, lines = note.rpartition(b"\n\n")
    split = [line.split(" ") for line in lines.decode().splitlines()]
    assert all(dash == "—" for dash, _, _ in split)
    return text + b"\n", [(name, base64.b64decode(material)) for _, name, material in split]


def key_of(vkey: str) -> tuple[str, bytes, int, Ed25519PublicKey]:
    name, identifier, material = vkey.split("+", 2)
    raw = base64.b64decode(material)
    expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    assert identifier == expected.hex()
    return name, expected, raw[0], Ed25519PublicKey.from_public_bytes(raw[1:])


def test_a_client_written_from_the_specifications_alone_follows_the_log(
    new_log: Callable[[], Log],
    story: Callable[[int], list[Document]],
    signer: Signer,
    cosigners: tuple[Cosigner, ...],
    rfc6962: ModuleType,
    tmp_path: Path,
) -> None:
    draw = story(1)[0].draw
    more = [Document(draw, EntryType.OPEN, b"%d" % number) for number in range(SIZE - 4)]
    with new_log() as log:
        log.append([*story(1)[:4], *more], signer)
        text = log.checkpoint.text
        log.add_cosignatures(text, [cosigners[0].cosign(text, 1_800_000_000)], [cosigners[0].key])
        proof = log.reader.proof(300)

    public = tmp_path / "public"
    note = (public / "checkpoint").read_bytes()
    body, signatures = signatures_of(note)
    origin, size, root = body.decode().splitlines()
    assert (origin, size) == (signer.name, str(SIZE))

    (log_name, log_line), (witness_name, witness_line) = signatures
    name, identifier, kind, key = key_of((public / "log.vkey").read_text().strip())
    assert (name, identifier, kind) == (log_name, log_line[:4], 1)
    key.verify(log_line[4:], body)
    name, identifier, kind, key = key_of(cosigners[0].key.text)
    assert (name, identifier, kind) == (witness_name, witness_line[:4], 4)
    assert int.from_bytes(witness_line[4:12], "big") == 1_800_000_000
    key.verify(witness_line[12:], b"cosignature/v1\ntime 1800000000\n" + body)

    entries: list[bytes] = []
    hashes = b""
    for part in ("000", "001", "002.p/88"):
        data = (public / "tile/entries" / part).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
        hashes += (public / "tile/0" / part).read_bytes()
    assert len(entries) == SIZE
    assert hashes == b"".join(rfc6962.leaf(entry) for entry in entries)
    assert (public / "tile/1/000.p/2").read_bytes() == rfc6962.mth(entries[:256]) + rfc6962.mth(
        entries[256:512]
    )
    assert base64.b64decode(root) == rfc6962.mth(entries)
    assert not list(public.glob("tile/0/00[01].p"))

    prev = None
    for data in entries:
        entry = json.loads(data)
        assert set(entry) == {"digest", "draw", "prev", "size", "type"}
        assert entry["prev"] == prev
        document = (public / "documents" / entry["digest"]).read_bytes()
        assert (len(document), hashlib.sha256(document).hexdigest()) == (entry["size"], entry["digest"])
        prev = hashlib.sha256(data).hexdigest()

    head, _, tail = proof.partition(b"\n\n")
    first, index, *lines = head.decode().splitlines()
    assert (first, index, tail) == ("c2sp.org/tlog-proof@v1", "index 300", note)
    assert [base64.b64decode(line) for line in lines] == rfc6962.path(300, entries)
