"""The public service gives a record byte for byte, and answers every mistake in two languages."""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dualrandom_api.application import create_app
from dualrandom_api.record import PublishedRecord

DRAW = "town-2023-000002"
EARLIER = "town-2023-000001"
VISIT = {
    "checks": [{"items": ["i01"], "task": "t01"}],
    "crews": [{"barred": [], "department": "amr", "seats": ["p1", "p2"]}],
    "date": "2023-09-04",
    "district": "420702",
    "enterprise": "e1",
    "part": 1,
}
RESULT: dict[str, Any] = {"announcement": "00", "draw": DRAW, "embargoed": None, "visits": [VISIT]}
LABELS = {
    "enterprises": {"e1": {"en": "+1 Shop", "zh": "=HYPERLINK(1)"}},
    "inspectors": {"p1": {"en": "Li", "zh": "李"}},
}
FILES = {
    "announcement.json": json.dumps({"draw": DRAW, "plan": "九月"}, ensure_ascii=False),
    "frame.jsonl": '{"id":"e1"}\n{"id":"e2"}\n',
    "seed.txt": "dualrandom/v1/seed\n",
    "result.json": json.dumps(RESULT),
    "labels.json": json.dumps(LABELS, ensure_ascii=False),
    "findings.json": '{"findings":[]}',
    "index.html": "<!doctype html><style>b{color:red}</style><script>let a=1</script>",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    public = tmp_path / "public"
    earlier = public / "voided" / EARLIER
    earlier.mkdir(parents=True)
    for name, text in FILES.items():
        (public / name).write_text(text, "utf-8")
    (earlier / "announcement.json").write_text(json.dumps({"draw": EARLIER}), "utf-8")
    (earlier / "void.json").write_text('{"reason":"名单有误"}', "utf-8")
    (tmp_path / "secret.txt").write_text("secret")
    return public


@pytest.fixture
def client(folder: Path) -> TestClient:
    return TestClient(create_app(folder), raise_server_exceptions=False)


def problem(client: TestClient, path: str, status: int, method: str = "GET") -> dict[str, Any]:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:dualrandom:problem:")
    assert set(body["details"]) == {"zh", "en"}
    assert body["title"]
    assert body["details"]["zh"] in body["detail"]
    assert body["details"]["en"] in body["detail"]
    return body


@pytest.mark.parametrize(
    ("path", "file", "media_type", "settled"),
    [
        ("announcement", "announcement.json", "application/json", True),
        ("seed", "seed.txt", "text/plain; charset=utf-8", True),
        ("result", "result.json", "application/json", True),
        ("labels", "labels.json", "application/json", False),
        ("findings", "findings.json", "application/json", False),
        ("lists/frame", "frame.jsonl", "application/jsonl", True),
    ],
)
def test_a_document_is_the_file_byte_for_byte(
    client: TestClient, folder: Path, path: str, file: str, media_type: str, settled: bool
) -> None:
    answer = client.get(f"/v1/draws/{DRAW}/{path}")
    content = (folder / file).read_bytes()
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-type"] == media_type
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert ("immutable" in answer.headers["cache-control"]) is settled
    assert ("no-cache" in answer.headers["cache-control"]) is not settled


@pytest.mark.parametrize("condition", ["{etag}", 'W/{etag}, "x"', '"x" , {etag}', "*"])
def test_a_client_that_has_the_bytes_gets_no_body(client: TestClient, condition: str) -> None:
    path = f"/v1/draws/{DRAW}/result"
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"If-None-Match": condition.format(etag=etag)})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == etag
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_says_what_get_would_say_without_the_bytes(client: TestClient) -> None:
    for path in ("/", "/healthz", "/v1/draws", f"/v1/draws/{DRAW}/result", "/nowhere"):
        got, asked = client.get(path), client.head(path)
        assert asked.status_code == got.status_code
        assert asked.content == b""
        assert asked.headers == got.headers


def test_the_list_of_draws_names_the_voided_ones_too(client: TestClient) -> None:
    listed = client.get("/v1/draws").json()["draws"]
    assert [(draw["draw"], draw["state"]) for draw in listed] == [(DRAW, "drawn"), (EARLIER, "void")]
    assert listed[0]["announcement"] == hashlib.sha256(FILES["announcement.json"].encode()).hexdigest()
    for draw in listed:
        assert client.get(draw["url"]).json()["draw"] == draw["draw"]
    assert client.get(f"/v1/draws/{EARLIER}/void").json() == {"reason": "名单有误"}


def test_every_document_of_a_draw_is_linked_with_its_digest(client: TestClient) -> None:
    detail = client.get(f"/v1/draws/{DRAW}").json()
    linked = [*detail["documents"], *detail["lists"]]
    assert {document["file"] for document in linked} == set(FILES) - {"index.html"}
    for document in linked:
        content = client.get(document["url"]).content
        assert len(content) == document["size"]
        assert hashlib.sha256(content).hexdigest() == document["sha256"]


def test_the_visits_are_there_as_json_and_as_a_table(client: TestClient) -> None:
    assert client.get(f"/v1/draws/{DRAW}/visits").json() == {"draw": DRAW, "visits": [VISIT]}
    answer = client.get(f"/v1/draws/{DRAW}/visits.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    heading, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert heading[0] == "检查对象 enterprise"
    assert row[0] == "e1"
    assert row[-1] == "amr: p1 李, p2"


def test_no_cell_of_the_table_is_a_formula(client: TestClient) -> None:
    _, row = csv.reader(io.StringIO(client.get(f"/v1/draws/{DRAW}/visits.csv").content.decode("utf-8-sig")))
    assert row[1:3] == ["'=HYPERLINK(1)", "'+1 Shop"]


def test_an_embargoed_visit_appears_when_its_row_is_opened(client: TestClient, folder: Path) -> None:
    hidden = {**RESULT, "embargoed": {"root": "00", "size": 3}, "visits": None}
    (folder / "result.json").write_text(json.dumps(hidden), "utf-8")
    path = f"/v1/draws/{DRAW}/visits"
    assert client.get(path).json()["visits"] == []
    assert client.get(path).headers["cache-control"] == "no-cache"
    opening = {"hidden": VISIT, "id": "v00001", "list": "visits", "salt": "00"}
    prices = {"hidden": [], "id": "prices", "list": "visits", "salt": "00"}
    (folder / "openings.jsonl").write_text(f"{json.dumps(prices)}\n{json.dumps(opening)}\n", "utf-8")
    assert client.get(path).json()["visits"] == [VISIT]


def test_a_change_of_the_folder_is_seen_at_once(client: TestClient, folder: Path) -> None:
    path = f"/v1/draws/{DRAW}/findings"
    before = client.get(path).headers["etag"]
    (folder / "findings.json").write_text('{"findings":[1]}', "utf-8")
    after = client.get(path, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.json() == {"findings": [1]}


def test_the_page_may_run_its_own_scripts_and_nothing_else(client: TestClient, folder: Path) -> None:
    answer = client.get("/")
    assert answer.content == (folder / "index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy


def test_the_links_of_the_page_lead_to_the_files(client: TestClient, folder: Path) -> None:
    for name in FILES:
        answer = client.get(f"/{name}")
        assert answer.content == (folder / name).read_bytes()
        assert answer.headers["cache-control"] == "no-cache"
    assert client.get("/index.html").headers == client.get("/").headers
    void = client.get(f"/voided/{EARLIER}/void.json")
    assert void.json() == {"reason": "名单有误"}
    for path in (f"/voided/{DRAW}/seed.txt", f"/voided/{EARLIER}/seed.txt", "/secret.txt", "/ties.json"):
        problem(client, path, 404)


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    for path in ("/", "/v1/draws", f"/v1/draws/{DRAW}/seed", "/nowhere", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/v1/draws/town-2023-000009",
        f"/v1/draws/{DRAW}/ties",
        f"/v1/draws/{DRAW}/lists/secret",
        f"/v1/draws/{EARLIER}/visits",
        f"/v1/draws/{EARLIER}/visits.csv",
        "/docs",
    ],
)
def test_what_is_not_there_is_a_problem_in_two_languages(client: TestClient, path: str) -> None:
    problem(client, path, 404)


def test_an_id_that_cannot_be_one_is_refused(client: TestClient) -> None:
    assert problem(client, "/v1/draws/a%20b", 422)["type"].endswith("invalid-parameter")
    problem(client, f"/v1/draws/{DRAW}/lists/-x", 422)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(client: TestClient, method: str) -> None:
    problem(client, f"/v1/draws/{DRAW}/result", 405, method)
    assert client.request(method, "/v1/draws").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/draws/..%2f..%2fsecret.txt",
        "/v1/draws/%2e%2e",
        "/v1/draws/..%5c..",
        f"/v1/draws/{DRAW}/lists/..%2f..%2fsecret.txt",
        f"/v1/draws/{DRAW}/lists/%2e%2e%2fannouncement.json",
        "/v1/draws/voided%2f" + EARLIER,
        "/%2e%2e/secret.txt",
        f"/v1/draws/{DRAW}%00/result",
    ],
)
def test_no_path_leads_out_of_the_record(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in {404, 422}
    assert b"secret" not in answer.content.replace(b"secret.txt", b"")


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_in_the_folder_is_not_followed(client: TestClient, folder: Path) -> None:
    (folder / "ties.json").symlink_to(folder.parent / "secret.txt")
    (folder / "voided" / "town-2023-000003").symlink_to(folder)
    problem(client, f"/v1/draws/{DRAW}/ties", 404)
    assert len(client.get("/v1/draws").json()["draws"]) == 2


def test_a_crash_tells_the_visitor_nothing_about_the_server(client: TestClient, folder: Path) -> None:
    (folder / "result.json").write_text("{", "utf-8")
    body = problem(client, f"/v1/draws/{DRAW}/visits", 500)
    assert str(folder) not in json.dumps(body)


def test_an_empty_folder_is_served_but_not_healthy(tmp_path: Path) -> None:
    client = TestClient(create_app(tmp_path))
    assert client.get("/v1/draws").json() == {"draws": []}
    problem(client, "/healthz", 503)
    problem(client, "/", 404)


def test_a_folder_with_a_damaged_announcement_is_no_draw(tmp_path: Path) -> None:
    for number, text in enumerate(["{", "[]", '{"draw": 1}', '{"draw": "../x"}', "{}"]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "announcement.json").write_text(text)
        assert PublishedRecord(tmp_path / str(number)).draws() == ()


def test_the_interface_is_described_with_examples(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    prefix = "/v1/draws/{draw}"
    names = [
        "announcement",
        "seed",
        "result",
        "visits",
        "visits.csv",
        "beacon",
        "statistics",
        "labels",
        "findings",
    ]
    names += ["attest", "ties", "void", "verify"]
    expected = {"/", "/{file}", "/voided/{draw}/{file}", "/healthz"}
    expected |= {"/verify.html", "/log/{rest}", "/reveals/{rest}", "/announced.checkpoint"}
    expected |= {"/v1/draws", prefix, f"{prefix}/lists/{{name}}"}
    assert set(described["paths"]) == expected | {f"{prefix}/{name}" for name in names}
    for path, operations in described["paths"].items():
        answers = operations["get"]["responses"]
        assert operations["get"]["summary"]
        assert "200" in answers
        if "{draw}" in path:
            assert answers["404"]["content"]["application/problem+json"]["example"]


def test_serve_answers_on_a_free_port(folder: Path) -> None:
    command = [sys.executable, "-m", "dualrandom", "serve", "--record", str(folder), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            with urllib.request.urlopen(f"{url}/v1/draws/{DRAW}/seed") as answer:
                assert answer.read() == FILES["seed.txt"].encode()
        finally:
            server.terminate()
            server.communicate()


def test_the_log_the_revealed_nonces_and_the_verifier_page_lie_beside_the_record(
    folder: Path, client: TestClient
) -> None:
    files = {
        "announced.checkpoint": (b"dualrandom/town\n2\n", True),
        "log/checkpoint": (b"dualrandom/town\n3\n", False),
        "log/log.vkey": (b"dualrandom/town+1+AA\n", True),
        "log/tile/0/000.p/3": (bytes(96), True),
        "log/tile/0/x001/234": (bytes(8192), True),
        "log/tile/entries/000.p/3": (b"\0\1a", True),
        f"log/documents/{'0a' * 32}": (b"{}", True),
        "log/keys/000001.note": (b"note", True),
        "reveals/amr.json": (b"{}", True),
    }
    for name, (content, _) in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, (content, settled) in files.items():
        answer = client.get(f"/{name}")
        assert (answer.status_code, answer.content) == (200, content), name
        assert ("immutable" in answer.headers["Cache-Control"]) is settled, name
        tag = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(f"/{name}", headers=tag).status_code == 304
    page = client.get("/verify.html")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/log/../../secret.txt",
        "/log/%2e%2e/%2e%2e/secret.txt",
        "/log/tile/../../../secret.txt",
        "/reveals/..%2f..%2fsecret.txt",
        "/log/private/keys/000001.key",
        "/log/documents/short",
        "/reveals/linked.json",
        "/log/log.vkey",
    ],
)
def test_nothing_outside_the_published_log_is_given(folder: Path, client: TestClient, path: str) -> None:
    (folder / "reveals").mkdir()
    (folder / "reveals/linked.json").symlink_to(folder.parent / "secret.txt")
    outside = folder.parent / "elsewhere"
    outside.mkdir()
    (outside / "log.vkey").write_text("kept apart")
    (folder.parent / "secret.txt").write_text("kept apart")
    (folder / "log").symlink_to(outside)
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"kept apart" not in answer.content
