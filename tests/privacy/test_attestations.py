"""The auditor's attestation: signed only if nothing fails, believed only from the announced key (docs/protocol.md §15)."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator

from dualrandom.campaign.attesting import attest, attest_statement
from dualrandom.campaign.folder import StateError
from dualrandom.canonical import canonical
from dualrandom.cli import run
from dualrandom.errors import DualRandomError, IntegrityError
from dualrandom.verify import read_public, verify_record


def key_of(town: Path) -> Path:
    return town / "private" / "auditor.key"


@pytest.fixture
def attested(copy_of_town: Path) -> Path:
    attest(copy_of_town, key_of(copy_of_town))
    return copy_of_town


def test_an_attestation_is_told_in_the_reasons_and_never_becomes_a_pass(
    attested: Path, public: dict[str, bytes]
) -> None:
    before = {check.name: check for check in verify_record(public).checks}
    after = {check.name: check for check in verify_record(read_public(attested / "public")).checks}
    assert {name: check.status for name, check in before.items()} == {
        name: check.status for name, check in after.items()
    }
    told = {name for name, check in after.items() if "attested by" in check.reason_en}
    assert told == {
        name for name, check in after.items() if "签名证明" in check.reason_zh and name != "signatures"
    }
    assert {"lists", "selection", "sizes", "dates", "crews"} <= told
    assert not told & {"log", "events", "findings"}
    assert all(after[name].status == "NOT CHECKED" for name in told)


def test_the_document_has_the_form_of_its_schema(attested: Path) -> None:
    schema = json.loads(
        (Path(__file__).resolve().parents[2] / "docs" / "schemas" / "attest.schema.json").read_text("utf-8")
    )
    Draft202012Validator(schema).validate(json.loads((attested / "public" / "attest.json").read_bytes()))


def other_key(document: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.generate()
    document["auditor"] = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    document["signature"] = base64.b64encode(key.sign(attest_statement(document))).decode()


def same_name_other_signature(document: dict[str, Any]) -> None:
    document["signature"] = base64.b64encode(
        Ed25519PrivateKey.generate().sign(attest_statement(document))
    ).decode()


def more_passes(document: dict[str, Any]) -> None:
    for check in document["checks"]:
        check["status"] = "PASS"


@pytest.mark.parametrize(
    "forge",
    [
        other_key,
        same_name_other_signature,
        more_passes,
        lambda d: d.update(result="0" * 64),
        lambda d: d.update(changes="0" * 64),
        lambda d: d.update(announcement="0" * 64),
        lambda d: d.update(draw="yunxi-2023-000002"),
    ],
)
def test_a_forged_attestation_fails_and_is_not_repeated(
    attested: Path, forge: Callable[[dict[str, Any]], None]
) -> None:
    files = read_public(attested / "public")
    document = json.loads(files["attest.json"])
    forge(document)
    report = verify_record(files | {"attest.json": canonical(document)})
    assert report.status("signatures") == "FAIL"
    assert not any("attested by" in check.reason_en for check in report.checks)


@pytest.mark.parametrize(
    "break_form",
    [
        lambda d: d["checks"].pop(),
        lambda d: d["checks"].reverse(),
        lambda d: d["checks"][0].update(status="FAIL"),
        lambda d: d.pop("changes"),
        lambda d: d.update(type="dualrandom/v1/result"),
        lambda d: d.update(signature=""),
    ],
)
def test_an_attestation_out_of_form_is_refused(
    attested: Path, break_form: Callable[[dict[str, Any]], object]
) -> None:
    files = read_public(attested / "public")
    document = json.loads(files["attest.json"])
    break_form(document)
    assert verify_record(files | {"attest.json": canonical(document)}).status("canonical") == "FAIL"


def test_an_attestation_of_another_result_fails(attested: Path) -> None:
    files = read_public(attested / "public")
    result = json.loads(files["result.json"])
    result["totals"]["cost"] = "1"
    assert verify_record(files | {"result.json": canonical(result)}).status("signatures") == "FAIL"


def test_a_foreign_key_does_not_sign(copy_of_town: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("11" * 32 + "\n", "ascii")
    with pytest.raises(DualRandomError) as refused:
        attest(copy_of_town, key)
    assert refused.value.code == "foreign-key"
    key.write_text("not a key", "ascii")
    with pytest.raises(DualRandomError) as refused:
        attest(copy_of_town, key)
    assert refused.value.code == "bad-key"
    assert not (copy_of_town / "public" / "attest.json").exists()


def test_what_fails_with_the_secrets_is_not_attested(
    copy_of_town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # the office's openings were replaced: the public sees nothing of it
    path = copy_of_town / "private" / "openings" / "strata.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"size":1', b'"size":2', 1))
    with pytest.raises(IntegrityError) as refused:
        attest(copy_of_town, key_of(copy_of_town))
    assert refused.value.code == "attestation-refused"
    assert run(["attest", str(copy_of_town), "--key", str(key_of(copy_of_town)), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "attestation-refused"
    assert not (copy_of_town / "public" / "attest.json").exists()


def test_there_is_nothing_to_attest_before_the_result(copy_of_town: Path) -> None:
    (copy_of_town / "public" / "result.json").unlink()
    with pytest.raises(StateError, match="not-drawn"):
        attest(copy_of_town, key_of(copy_of_town))


def test_the_command_reports_and_publishes(copy_of_town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attest", str(copy_of_town), "--key", str(key_of(copy_of_town)), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["file"]).is_file()
    assert told["report"]["verdict"] == "NOT CHECKED"
    assert "attest.json" in (copy_of_town / "public" / "index.html").read_text("utf-8")
