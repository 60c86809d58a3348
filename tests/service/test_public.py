"""What anybody may read: the documents byte for byte from memory or not, the log, receipts for those whom they concern."""

import hashlib
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from dualrandom.store.tables import DrawFile, LibraryRow
from dualrandom.store.workspace import file_of, files_of
from dualrandom.verify import verify_record

DRAW = "yunxi-2023-000001"
FILES = f"/v1/public/draws/{DRAW}/files"


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_every_document_is_served_byte_for_byte_under_both_addresses(drawn: Any) -> None:
    client = drawn.public
    listed = client.get(f"/v1/public/draws/{DRAW}").json()["documents"]
    with drawn.service.database.reading() as session:
        kept = {
            path.removeprefix("public/"): drawn.service.vault.opened(blob)
            for path, blob in files_of(session, DRAW)
            if path.startswith("public/")
        }
    assert {one["path"] for one in listed} == set(kept)
    for one in listed:
        for url in (one["url"], one["immutable"]):
            # once from the database and once from memory
            first, again = client.get(url), client.get(url)
            assert first.status_code == again.status_code == 200
            assert first.content == again.content == kept[one["path"]]
            assert hashlib.sha256(first.content).hexdigest() == one["sha256"]
            assert {**first.headers, "x-request-id": ""} == {**again.headers, "x-request-id": ""}
    served = {one["path"]: client.get(one["url"]).content for one in listed}
    assert not [check for check in verify_record(served).checks if check.status == "FAIL"]


def test_what_never_changes_may_be_kept_for_a_year_and_names_are_asked_for_again(drawn: Any) -> None:
    listed = {one["path"]: one for one in drawn.public.get(f"/v1/public/draws/{DRAW}").json()["documents"]}
    result, labels = listed["result.json"], listed["labels.json"]
    assert (result["settled"], labels["settled"]) == (True, False)
    by_hash = drawn.public.get(result["immutable"])
    assert by_hash.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert by_hash.headers["ETag"] == f'"{result["sha256"]}"'
    for url in (result["url"], labels["url"], labels["immutable"]):
        assert drawn.public.get(url).headers["Cache-Control"] == "no-cache"
    for condition in (f'"{result["sha256"]}"', f'W/"{result["sha256"]}"', f'"x", "{result["sha256"]}"', "*"):
        for _ in range(2):
            unchanged = drawn.public.get(result["url"], headers={"If-None-Match": condition})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["ETag"] == f'"{result["sha256"]}"'
    assert drawn.public.get(result["url"], headers={"If-None-Match": '"x"'}).status_code == 200
    head = drawn.public.head(result["url"])
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == result["size"]


def test_nothing_private_is_public_under_any_address(drawn: Any) -> None:
    with drawn.service.database.reading() as session:
        private = [
            (row.path, row.blob)
            for row in session.scalars(select(DrawFile).where(DrawFile.draw_id == DRAW))
            if not row.path.startswith("public/")
        ]
    assert any("openings" in path for path, _ in private)
    for path, blob in private:
        assert code(drawn.public.get(f"/v1/public/blobs/{blob}")) == "unknown-document", path
        if path.startswith("private/"):
            assert code(drawn.public.get(f"{FILES}/{path}")) == "unknown-document"
    for path in ("../private/list-secret", "..%2Fprivate%2Flist-secret", "a/../../private/list-secret"):
        assert drawn.public.get(f"{FILES}/{path}").status_code in {404, 422}


def test_a_replaced_document_is_served_anew_and_the_old_bytes_are_gone(
    drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(drawn.service.documents, "_monotonic", lambda: now)
    url = f"{FILES}/labels.json"
    before = drawn.public.get(url)
    old = hashlib.sha256(before.content).hexdigest()
    assert drawn.public.get(f"/v1/public/blobs/{old}").status_code == 200
    with drawn.service.database.writing() as session:
        row = _file(session, "public/labels.json")
        row.blob = drawn.service.vault.put(session, b'{"corrected": true}', private=False)
        session.add(row)
    now += 2
    assert drawn.public.get(url).content == b'{"corrected": true}'
    assert code(drawn.public.get(f"/v1/public/blobs/{old}")) == "unknown-document"
    with drawn.service.database.writing() as session:
        row = _file(session, "public/labels.json")
        row.blob = old
        session.add(row)
    now += 2
    assert drawn.public.get(url).content == before.content


def _file(session: Session, path: str) -> DrawFile:
    return session.exec(select(DrawFile).where(DrawFile.draw_id == DRAW, DrawFile.path == path)).one()


def test_the_page_and_the_verifier_may_run_their_own_scripts_and_no_others(drawn: Any) -> None:
    for url in (f"{FILES}/index.html", "/v1/public/verify.html"):
        for _ in range(2):
            page = drawn.public.get(url)
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
    assert DRAW in drawn.public.get("/").text


def test_other_sites_may_read_what_is_public_and_nothing_else(drawn: Any) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    public = drawn.public.get(f"{FILES}/result.json", headers=origin)
    assert public.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in public.headers
    for path in ("/v1/draws", "/v1/me", "/healthz"):
        answer = drawn.as_("dispatcher").get(path, headers=origin)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] in {"no-store", "no-cache"}


def test_the_sums_are_those_of_the_draws(drawn: Any) -> None:
    told = drawn.public.get("/v1/public/statistics").json()
    of_draw = drawn.public.get(f"{FILES}/statistics.json").json()
    assert told["draws"]["drawn"] == 1
    assert told["sums"]["visits"] > 0
    assert of_draw["draw"] == DRAW
    listed = drawn.public.get("/v1/public/draws").json()["items"]
    assert [(one["draw"], one["state"]) for one in listed] == [(DRAW, "drawn")]


def receipt(drawn: Any, enterprise: str, secret: str) -> Any:
    return drawn.public.post("/v1/public/receipts", json={"enterprise": enterprise, "code": secret})


def test_an_enterprise_gets_its_receipt_with_the_code_that_was_mailed_to_it(drawn: Any) -> None:
    with drawn.service.database.reading() as session:
        frame = file_of(session, drawn.service.vault, DRAW, "public/frame.jsonl")
        rows = session.exec(select(LibraryRow.key).where(LibraryRow.kind == "enterprises")).all()
    assert frame is not None
    enterprise, other = [row for row in rows if f'"{row}"'.encode() in frame][:2]
    codes = f"/v1/draws/{DRAW}/receipt-codes"
    amr = drawn.as_("amr")
    first = amr.post(codes, json={"enterprise": enterprise}).json()["code"]
    issued = amr.post(codes, json={"enterprise": enterprise})
    assert issued.status_code == 201, issued.text
    secret = issued.json()["code"]
    # a new code ends the one before, nobody else's helps, and guessing is told nothing
    for who, what in ((enterprise, first), (other, secret), (enterprise, "0000-0000-0000-0000")):
        refused = receipt(drawn, who, what)
        assert (refused.status_code, code(refused)) == (403, "receipt-code-wrong")
    drawn.clock.pass_(days=55)
    given = receipt(drawn, enterprise, secret.lower().replace("-", " "))
    assert given.status_code == 200, given.text
    assert given.headers["Cache-Control"] == "no-store"
    assert given.json()["document"]["subject"]["id"] == enterprise
    assert given.json()["status"] == "PASS"
    assert code(receipt(drawn, enterprise, secret)) == "receipt-code-wrong"
    late = amr.post(codes, json={"enterprise": other}).json()["code"]
    drawn.clock.now += timedelta(days=61)
    assert code(receipt(drawn, other, late)) == "receipt-code-wrong"
    foreign = amr.post(codes, json={"enterprise": "91420704999999999X"})
    assert (foreign.status_code, code(foreign)) == (422, "not-in-library")
    rows_of_log = drawn.as_("auditor").get(f"/v1/activity?subject={DRAW}").json()["items"]
    assert {"receipt-code-issued", "receipt-given"} <= {row["action"] for row in rows_of_log}


def test_an_auditor_reads_a_sealed_list_against_a_reason_and_the_log_says_so(drawn: Any) -> None:
    auditor = drawn.as_("auditor")
    names = [one["name"] for one in auditor.get(f"/v1/draws/{DRAW}/sealed").json()]
    assert "openings/strata.jsonl" in names
    path = f"/v1/draws/{DRAW}/sealed/readings"
    body = {"name": "openings/strata.jsonl", "reason": "季度审计 2023-3"}
    for who in ("dispatcher", "amr", "support", "crew"):
        assert drawn.as_(who).post(path, json=body).status_code == 403
    assert auditor.post(path, json={"name": body["name"], "reason": ""}).status_code == 422
    read = auditor.post(path, json=body)
    assert read.status_code == 200
    with drawn.service.database.reading() as session:
        assert read.content == file_of(session, drawn.service.vault, DRAW, "private/openings/strata.jsonl")
    (row, *_) = auditor.get("/v1/activity?action=sealed-list-read").json()["items"]
    assert (row["actor"], row["subject"], row["detail"]) == (
        "user:auditor",
        DRAW,
        {"list": "openings/strata.jsonl", "reason": "季度审计 2023-3"},
    )
    for secret in ("list-secret", "nonces/amr", "openings/../list-secret", "keys/amr"):
        refused = auditor.post(path, json={"name": secret, "reason": "I am curious"})
        assert (refused.status_code, code(refused)) == (404, "unknown-sealed-list")
