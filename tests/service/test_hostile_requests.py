"""Requests that are odd in every way but their body: methods, paths, queries and headers that no route asks for, and raw bytes.

The same promise holds: no crash, nothing that the schema does not name, every refusal a problem in both languages.
"""

import asyncio
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from httpx2 import ASGITransport, AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom_api.service.manual import example_of
from dualrandom_api.service.schema import operations

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
DATABASES = ("sqlite", "postgres") if DEEP else ("sqlite",)
USERS = ("dispatcher", "amr", "")
DRAW = "yunxi-2023-000001"

DRAWN = pytest.mark.parametrize("drawn_url", DATABASES, indirect=True)
many = settings(
    max_examples=4000 if DEEP else 60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

STRANGE = (
    "%FF",
    "%00",
    "%ED%A0%80",
    "%C0%AE%C0%AE",
    "..%2F..%2Fetc%2Fpasswd",
    "%2E%2E",
    "%E9%84%82%E5%B7%9E",
    "%F0%9F%92%A9",
    "%0D%0ASet-Cookie:%20a=b",
    "a" * 6000,
    "-1",
    "0",
    "99999999999999999999999999",
    "1e3",
    "%EF%BC%91",
    "%C2%B2",
    "null",
    "%20",
    "*",
    "%25FF",
    "'%20OR%201=1--",
    "%E2%80%AE",
)
"""What may stand in a path or a query, percent-encoded."""
HEADERS = (
    ("Range", "bytes=0-0"),
    ("Range", "bytes=9-1,-,x"),
    ("If-None-Match", "*"),
    ("If-None-Match", '"a", W/"b", "' + "c" * 64 + '"'),
    ("If-None-Match", ", ".join(f'"{n}"' for n in range(3000))),
    ("If-None-Match", '"\xff\xfe'),
    ("If-Modified-Since", "yesterday"),
    ("If-Match", '"1", "2"'),
    ("If-Match", "*"),
    ("If-Match", 'W/"1"'),
    ("If-Match", '"99999999999999"'),
    ("If-Match", '"\xb2"'),
    ("If-Match", ""),
    ("Accept", "nothing/at-all;q=\xff"),
    ("Accept-Encoding", "gzip;q=x, br, *;q=0"),
    ("Accept-Language", "x" * 5000),
    ("Authorization", "Bearer \xff\xfe"),
    ("Authorization", "Bearer " + "x" * 50_000),
    ("Authorization", "Basic Og=="),
    ("Authorization", "Bearer"),
    ("Cookie", "dualrandom-session=\xff; dualrandom-session=; =;;"),
    ("Cookie", "a=" + "b" * 50_000),
    ("Content-Length", "\xb2"),
    ("Content-Length", "-1"),
    ("Content-Length", "999999999999999999999"),
    ("Content-Type", "\xff/\xff; charset=\xff"),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "gzip"),
    ("Expect", "200-ok"),
    ("Host", "a b\xff"),
    ("Origin", "null"),
    ("X-Forwarded-For", "::1, , 999.1.1.1, \xff"),
    ("X-Request-Id", "\xff" * 20),
    ("X-CSRF-Token", "\xff"),
    ("Idempotency-Key", "\xff" * 20),
    ("Idempotency-Key", "with space in it"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Upgrade", "h2c"),
)


def filled(path: str, operation: dict[str, Any], put: dict[str, str]) -> str:
    """A path with a value for each of its parameters."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            value = put.get(name) or (DRAW if name == "draw" else str(example_of(parameter)))
            path = path.replace("{" + name + "}", value)
    return path


def require_problem(answer: Any, told: str) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json", told
    problem = answer.json()
    for words in (problem["details"], problem["remedy"]):
        assert re.search(r"[\u4e00-\u9fff]", words["zh"]), told
        assert re.search(r"[A-Za-z]{2}", words["en"]), told


def client_of(drawn: Any, who: str) -> Any:
    return drawn.as_(who) if who else drawn.public


@DRAWN
def test_every_route_answers_every_method(drawn: Any) -> None:
    schema = drawn.app.openapi()
    wrong = []
    for path, methods in schema["paths"].items():
        operation = next(iter(methods.values()))
        target = filled(path, operation, {})
        for other in ("HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "GET", "POST", "PUT", "PATCH", "DELETE"):
            if other.lower() in methods:
                continue
            answer = client_of(drawn, "amr").request(other, target, follow_redirects=False)
            if other == "HEAD" and "get" in methods and not path.endswith("/events"):
                read = client_of(drawn, "amr").get(target, follow_redirects=False)
                if answer.content or answer.status_code != read.status_code:
                    wrong.append(f"HEAD {target}: {answer.status_code}, GET {read.status_code}")
            elif answer.status_code not in {404, 405} or (other != "HEAD" and not answer.content):
                wrong.append(f"{other} {target}: {answer.status_code} {answer.text[:100]}")
            elif other != "HEAD":
                require_problem(answer, f"{other} {target}")
    assert wrong == []


@DRAWN
def test_no_path_query_or_header_breaks_a_route(drawn: Any, promised: Callable[..., None]) -> None:
    every = [one for one in operations(drawn.app.openapi()) if not one[1].endswith("/events")]
    seen = set()

    @many
    @given(
        at=st.integers(0, 10_000),
        who=st.sampled_from(USERS),
        put=st.lists(st.sampled_from(STRANGE), max_size=3),
        query=st.lists(st.sampled_from(STRANGE), max_size=3),
        headers=st.lists(st.sampled_from(HEADERS), max_size=3),
    )
    def tried(at: int, who: str, put: list[str], query: list[str], headers: list[tuple[str, str]]) -> None:
        method, path, operation = every[at % len(every)]
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
        asked = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"] or ["x"]
        target = filled(path, operation, dict(zip(names, put, strict=False)))
        target += "?" + "&".join(f"{asked[n % len(asked)]}={value}" for n, value in enumerate(query))
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        answer = client_of(drawn, who).request(method, target, headers=sent, follow_redirects=False)
        seen.add(answer.status_code // 100)
        if answer.status_code in {404, 405} and put:
            # with a slash in a parameter it may be another address
            require_problem(answer, f"{method} {target}")
        else:
            promised(drawn, method, path, answer)

    tried()
    assert {2, 4} <= seen  # not everything was turned away at the door


@pytest.fixture(scope="module")
def port(drawn: Any) -> Iterator[int]:
    """The service behind the server program that it comes with."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(drawn.app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    listening.close()


def spoken(port: int, *parts: bytes, hang_up: bool = False) -> bytes:
    """Send bytes as they are and return what comes back until the server closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            # it answers what is too long before all was sent
            pass
    return answer


POST = b"POST /v1/case-visits HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer %b\r\n"
BYTES: dict[str, tuple[tuple[bytes, ...], set[int]]] = {
    "chunked": ((POST, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), {422}),
    "chunked in pieces": (
        (POST, b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n}\r\n0\r\n\r\n"),
        {422},
    ),
    "no such chunk": ((POST, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunks and a length": (
        (POST, b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        {400, 422},
    ),
    "two lengths": ((POST, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), {400}),
    "too short": ((POST, b"Content-Length: 50\r\n\r\n{}"), {400}),
    "expecting": ((POST, b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"), {422}),
    "expecting something else": ((POST, b"Expect: coffee\r\nContent-Length: 2\r\n\r\n{}"), {400, 417, 422}),
    "long header": (
        (b"GET /v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ", b"x" * 200_000, b"\r\n\r\n"),
        {400, 431},
    ),
    "many headers": (
        (b"GET /v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", b"X: y\r\n" * 30_000, b"\r\n"),
        {400, 431},
    ),
    "long path": (
        (b"GET /v1/public/draws?", b"x" * 200_000, b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        {400, 414, 431},
    ),
    "raw bytes in the path": (
        (b"GET /v1/public/draws/\xff\xfe?\xff=\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",),
        {400, 404},
    ),
    "no host": ((b"GET /v1/public/draws HTTP/1.1\r\n\r\n",), {400}),
    "old": ((b"GET /v1/public/draws HTTP/1.0\r\n\r\n",), {200}),
    "whole address": (
        (b"GET http://elsewhere/v1/public/draws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",),
        {200, 400, 404},
    ),
    "star": ((b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",), {400, 404, 405}),
    "no HTTP": ((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",), {400}),
    "preface of HTTP/2": ((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), {400, 404, 405, 505}),
    "folded header": (
        (b"GET /v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: a\r\n b\r\n\r\n",),
        {400, 401},
    ),
}


@DRAWN
@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_hardly_http_get_an_answer(drawn: Any, port: int, name: str) -> None:
    parts, expected = BYTES[name]
    token = drawn.as_("amr").headers["Authorization"].removeprefix("Bearer ").encode()
    hang_up = name == "too short"
    answer = spoken(port, *(part.replace(b"%b", token) for part in parts), hang_up=hang_up)
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
    if name in {"too short", "long header", "many headers", "long path"}:
        # whoever hangs up before the end, or is cut off while still sending, may hear nothing
        statuses = statuses or [400]
    assert statuses, name
    assert set(statuses) - {100} <= expected, answer[:500]
    assert spoken(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    )


@DRAWN
def test_a_published_document_is_asked_for_in_all_ways(drawn: Any) -> None:
    path = f"/v1/public/draws/{DRAW}/files/result.json"
    whole = drawn.public.get(path)
    etag = whole.headers["ETag"]
    for value in (etag, f'"x", {etag}', f"W/{etag}", "*", f'"x",{etag} , "y"'):
        assert drawn.public.get(path, headers={"If-None-Match": value}).status_code == 304, value
    for value in ('"x"', "x", "", etag.strip('"')):
        assert drawn.public.get(path, headers={"If-None-Match": value}).content == whole.content, value
    for value in ("bytes=0-9", "bytes=5-", "bytes=-5", "bytes=9-1", "lines=1-2", "bytes=0-9,20-29"):
        part = drawn.public.get(path, headers={"Range": value})
        # nobody has to serve ranges; a whole is right, a wrong part would not be
        assert (part.status_code, part.content) == (200, whole.content), value


def test_of_those_who_change_the_same_version_at_once_one_wins(office: Any) -> None:
    dispatcher = office.as_("dispatcher")
    body = {"username": "raced", "name": "韩梅", "role": "auditor", "password": "Ordinary-27-horses"}
    made = dispatcher.post("/v1/users", json=body)
    assert made.status_code == 201, made.text
    headers = {"Authorization": dispatcher.headers["Authorization"], "If-Match": made.headers["ETag"]}

    async def all_at_once() -> list[Any]:
        transport = ASGITransport(app=office.app)
        async with AsyncClient(transport=transport, base_url="http://testserver", timeout=None) as client:
            return await asyncio.gather(
                *(
                    client.patch("/v1/users/raced", json={"name": f"第{n}人"}, headers=headers)
                    for n in range(50)
                )
            )

    answers = asyncio.run(all_at_once())
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 49
    (won,) = [answer for answer in answers if answer.status_code == 200]
    read = dispatcher.get("/v1/users/raced")
    assert (read.json()["name"], read.headers["ETag"]) == (won.json()["name"], won.headers["ETag"])
