"""A receipt as QR codes: decoded by another program, it is the file to the byte, and it verifies."""

from __future__ import annotations

import json
import random
import shutil
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from dualrandom import campaign
from dualrandom.campaign.receipts import give_receipt
from dualrandom.cli import run
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError
from dualrandom.page.receipt_codes import code_symbols, receipt_codes_page
from dualrandom.scan import LARGEST, from_texts, is_scanned, texts_of

NOW = datetime(2023, 8, 1, tzinfo=UTC)
LATER = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    campaign.announce(folder, now=NOW)
    campaign.draw(folder)
    return folder


@pytest.fixture(scope="module")
def receipt(town: Path) -> bytes:
    """The longest receipt of the first enterprises, and one that was drawn is among them."""
    frame = [json.loads(row)["id"] for row in (town / "public" / "frame.jsonl").read_bytes().splitlines()]
    drawn = json.loads((town / "public" / "result.json").read_bytes())["visits"][0]["enterprise"]
    receipts = [give_receipt(town, enterprise=one, now=LATER).data for one in (*frame[:5], drawn)]
    return max(receipts, key=len)


def scanned(data: bytes) -> list[str]:
    """Print every code as an image, four dots a module, and read it as a phone would: with a program that is not ours."""
    texts = []
    for symbol in code_symbols(data):
        modules = np.array([list(row) for row in symbol.matrix_iter(border=4)], dtype=np.uint8)
        image = (255 * (modules == 0)).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        (found,) = zxingcpp.read_barcodes(image)
        texts.append(found.text)
    return texts


def test_the_codes_of_a_receipt_give_it_back_to_the_byte_and_it_verifies(
    town: Path, receipt: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = scanned(receipt)
    assert len(texts) > 1
    assert from_texts("\n".join(reversed(texts))) == receipt
    path = tmp_path / "scanned.txt"
    path.write_text("\n".join(texts), "utf-8")
    assert run(["verify", str(town / "public"), "--receipt", str(path), "--json"]) == 3
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert (checks[-1]["name"], checks[-1]["status"]) == ("receipt", "PASS")


def test_every_code_is_small_enough_to_be_read_from_paper(receipt: bytes) -> None:
    for symbol in code_symbols(receipt):
        assert symbol.error == "M"
        assert int(symbol.version) <= 19
    # a city's receipt is longer: its codes are many, and only a little larger
    noise = random.Random(1).randbytes(9000)
    assert all(int(symbol.version) <= 25 for symbol in code_symbols(noise))
    assert from_texts("\n".join(scanned(noise))) == noise


def test_a_page_of_codes_is_there_in_both_languages_and_loads_nothing(receipt: bytes) -> None:
    page = receipt_codes_page(json.loads(receipt), receipt, "zh").decode()
    assert page.count("<svg") == len(code_symbols(receipt))
    for words in (
        "二维码",
        "Scan one after the other",
        "请妥善保管",
        "keep it to yourself",
        "default-src &#x27;none&#x27;",
    ):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page


def test_a_receipt_s_page_names_authority_and_tasks_in_words(town: Path) -> None:
    labels = json.loads((town / "public" / "labels.json").read_bytes())
    drawn = json.loads((town / "public" / "result.json").read_bytes())["visits"][0]
    page = give_receipt(town, enterprise=drawn["enterprise"], now=LATER).page.decode()
    for words in (labels["authority"], *(labels["tasks"][check["task"]] for check in drawn["checks"])):
        assert words["zh"] in page
        assert words["en"] in page
    assert "verify.html" in page


def test_the_command_writes_the_page_beside_the_receipt(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(town, tmp_path / "town"))
    drawn = json.loads((copy / "public" / "result.json").read_bytes())["visits"][0]["enterprise"]
    arguments = ["receipt", str(copy), "--enterprise", drawn, "--qr", "--json"]
    assert run(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["codes"]).parent == copy / "private" / "receipts"
    assert Path(told["codes"]).stat().st_mode & 0o077 == 0
    assert run([*arguments, "--out", str(tmp_path / "given" / "one.json")]) == 0
    assert Path(json.loads(capsys.readouterr().out)["codes"]) == tmp_path / "given" / "one.qr.html"
    assert (tmp_path / "given" / "one.qr.html").is_file()


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=4000), seed=st.integers(0, 2**32))
def test_texts_in_any_order_and_twice_give_the_bytes_back(data: bytes, seed: int) -> None:
    texts = [head + digits for head, digits in texts_of(data)]
    mixed = texts * 2
    random.Random(seed).shuffle(mixed)
    text = " sent from my phone\n".join(mixed)
    assert from_texts(text) == data
    assert is_scanned(text.encode())


def test_missing_mixed_and_damaged_codes_are_told_apart(receipt: bytes) -> None:
    texts = [head + digits for head, digits in texts_of(receipt)]
    with pytest.raises(DualRandomError, match="codes-missing") as missing:
        from_texts("\n".join(texts[1:]))
    assert missing.value.value == "1"
    others = [head + digits for head, digits in texts_of(receipt + b" ")]
    with pytest.raises(DualRandomError, match="codes-mixed"):
        from_texts("\n".join([*texts, others[0]]))
    with pytest.raises(DualRandomError, match="codes-damaged"):
        from_texts("DUALRANDOM:1:")
    for position in range(0, len(texts[0]), 97):
        if not texts[0][position].isdigit() or position < 30:
            continue
        wrong = texts[0][:position] + str((int(texts[0][position]) + 1) % 10) + texts[0][position + 1 :]
        with pytest.raises(DualRandomError, match="codes-damaged"):
            from_texts("\n".join([wrong, *texts[1:]]))


def test_texts_cannot_unfold_to_more_than_a_receipt_may_be() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(50 * LARGEST)) + packer.flush()
    tag = "0" * 8
    parts = [bomb[start : start + 600] for start in range(0, len(bomb), 600)]
    text = "\n".join(
        f"DUALRANDOM:1:{number}/{len(parts)}:{tag}:{int.from_bytes(bytes([1]) + part)}"
        for number, part in enumerate(parts, 1)
    )
    with pytest.raises(DualRandomError, match="codes-damaged"):
        from_texts(text)
