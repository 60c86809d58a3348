"""A real draw, served: the files as published, the server's own verification, an interface that keeps its description."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import given, settings
from schemathesis.checks import load_all_checks

from dualrandom.campaign import announce, draw, void
from dualrandom.demo import write_campaign
from dualrandom.verify import CHECK_NAMES, read_public, verify_record
from dualrandom_api.application import create_app
from dualrandom_api.documents import DOCUMENTS, LISTS


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with a voided draw and a result."""
    folder = tmp_path_factory.mktemp("served") / "town"
    write_campaign("town", folder)
    announce(folder, rehearsal=True, now=datetime.now(UTC))
    void(folder, "试作废", datetime.now(UTC))
    announce(folder, rehearsal=True, now=datetime.now(UTC))
    draw(folder)
    return folder / "public"


@pytest.fixture
def client(public: Path) -> TestClient:
    return TestClient(create_app(public), raise_server_exceptions=False)


def test_every_published_file_is_served_as_it_is(client: TestClient, public: Path) -> None:
    listed = client.get("/v1/draws").json()["draws"]
    assert [draw["state"] for draw in listed] == ["drawn", "void"]
    for draw_entry, folder in zip(listed, (public, public / "voided" / listed[1]["draw"]), strict=True):
        detail = client.get(draw_entry["url"]).json()
        served = {document["file"]: document["url"] for document in detail["documents"] + detail["lists"]}
        there = {path.name for path in folder.iterdir() if path.is_file()} - {"index.html"}
        assert set(served) == there
        for name, url in served.items():
            assert client.get(url).content == (folder / name).read_bytes()
    assert client.get("/").content == (public / "index.html").read_bytes()


def test_the_page_needs_nothing_that_its_policy_forbids(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


def test_no_link_of_the_page_is_dead(client: TestClient) -> None:
    links = set(re.findall(r'href="([^"#]+)"', client.get("/").text))
    assert links
    for link in links:
        assert client.get(f"/{link}").status_code == 200, link


def test_the_server_verifies_as_the_verifier_does(client: TestClient, public: Path) -> None:
    current = client.get("/v1/draws").json()["draws"][0]
    answer = client.get(f"{current['url']}/verify")
    told = answer.json()
    expected = verify_record(read_public(public))
    assert [check["name"] for check in told["checks"]] == list(CHECK_NAMES)
    assert [check["status"] for check in told["checks"]] == [check.status for check in expected.checks]
    assert told["verdict"] == "NOT CHECKED"
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get(f"{current['url']}/verify", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_record_is_verified_once_until_it_changes(
    public: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(public, tmp_path / "public"))
    calls: list[Any] = []

    def counted(files: Any) -> Any:
        calls.append(files)
        return verify_record(files)

    monkeypatch.setattr("dualrandom.verify.verify_record", counted)
    client = TestClient(create_app(folder))
    url = client.get("/v1/draws").json()["draws"][0]["url"] + "/verify"
    assert client.get(url).json() == client.get(url).json()
    assert len(calls) == 1
    seed = folder / "seed.txt"
    seed.write_bytes(seed.read_bytes().replace(b"randomness ", b"randomness 0"))
    told = client.get(url).json()
    assert len(calls) == 2
    assert told["verdict"] == "FAIL"
    assert {check["name"]: check["status"] for check in told["checks"]}["seed"] == "FAIL"


def test_the_visits_agree_with_the_result(client: TestClient) -> None:
    url = client.get("/v1/draws").json()["draws"][0]["url"]
    assert client.get(f"{url}/visits").json()["visits"] == client.get(f"{url}/result").json()["visits"]
    rows = client.get(f"{url}/visits.csv").content.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + len(client.get(f"{url}/visits").json()["visits"])


def test_every_document_of_the_protocol_has_its_place() -> None:
    named = {document.file for document in (*DOCUMENTS.values(), *LISTS.values())}
    protocol = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
    for file in named:
        assert f"`{file}`" in protocol or f"`{file.removesuffix('.jsonl')}`" in protocol, file


def test_the_interface_keeps_its_description(public: Path) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(public))
    checked = 0
    for operation in schema.get_all_operations():
        described: Any = operation.ok()  # type: ignore[union-attr]

        @given(case=described.as_strategy())
        @settings(max_examples=8)
        def holds(case: Any) -> None:
            case.call_and_validate()

        holds()
        checked += 1
    assert checked >= 15
