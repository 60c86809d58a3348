"""Bodies that mean harm: whatever bytes come, every route answers with something that its schema names, and stays of sound size.

Fuzzing by the schema sends bodies that its types allow. Here are those that it has no word for: TOML, sheets and archives made to
burst, wrong encodings, a line of ten megabytes, JSON that nests without end. They go to every route that takes a body, with the media
type that it asks for and with others.
"""

import io
import json
import os
import re
import resource
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.registry.columns import LIBRARIES
from dualrandom_api.service.manual import example_of
from dualrandom_api.service.routes.policies import EXAMPLE
from dualrandom_api.service.schema import operations

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EXAMPLES = 1500 if DEEP else 20
DATABASES = ("sqlite", "postgres") if DEEP else ("postgres",)
pytestmark = pytest.mark.parametrize("drawn_url", DATABASES, indirect=True)
MEGABYTES = 600
"""By how much the process may grow while it reads what was sent."""
YEAR, DRAW = 2027, "yunxi-2023-000001"
NUMBERS = count()
many = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

NOTICE = """[[notices]]
year = 2027
number = "国办发明电2026-1号"
issued = 2026-11-01
holidays = [{ name = "元旦", name_en = "New Year's Day", first = 2027-01-01, last = 2027-01-03 }]
working = [2027-01-09]
"""
CSV = "code,name,department\np900,张三,amr\n"
NASTY = (
    "9" * 5000,
    "-" + "9" * 400,
    "1e999999",
    "nan",
    "-inf",
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "2026-01-01T00:00:00+23:59",
    "0x" + "f" * 4000,
    '"\\u0000"',
    '"\\uD800"',
    '"\\U00110000"',
    '"' + "长" * 70_000 + '"',
    '"""\n' + "\n" * 5000 + '"""',
    "[" * 3000 + "]" * 3000,
    "{a=" * 1500 + "1" + "}" * 1500,
    "[" + "{}," * 20_000 + "]",
    "true",
    "[]",
    "{}",
    "=",
    "",
)
"""Values that a parser, a database or a language may choke on."""


@dataclass(frozen=True)
class Sent:
    """A body under a name that a report can show."""

    name: str
    content: Callable[[], bytes]

    def __repr__(self) -> str:
        return self.name


def spoilt(text: str) -> st.SearchStrategy[Sent]:
    """A document with one of its values replaced by a nasty one, or a table more."""
    places = [match.span(1) for match in re.finditer(r"= (.*)$", text, re.MULTILINE)]

    def put(at: int, value: str) -> bytes:
        if at == len(places):
            return f"{text}\n{'a.' * 3000}b = {value}\n".encode()
        start, end = places[at]
        return f"{text[:start]}{value}{text[end:]}".encode()

    def named(at: int, value: str) -> Sent:
        return Sent(f"{text[:12]!r} value {at} is {value[:20]!r}, {len(value)} long", partial(put, at, value))

    return st.builds(named, st.integers(0, len(places)), st.sampled_from(NASTY))


def encoded(text: str) -> st.SearchStrategy[Sent]:
    """A document in an encoding that nobody asked for, or with bytes that belong to none."""

    def put(how: str, at: int, extra: bytes) -> bytes:
        data = text.encode(how)
        at %= len(data) + 1
        return data[:at] + extra + data[at:]

    def named(how: str, at: int, extra: bytes) -> Sent:
        return Sent(f"{text[:12]!r} in {how} with {extra!r} at {at}", partial(put, how, at, extra))

    return st.builds(
        named,
        st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "utf-7")),
        st.integers(0, 400),
        st.sampled_from(
            (b"", b"\0", b"\xed\xa0\x80", b"\xff\xfe", b"\x1a", b"\r", b"\xc0\x80", b"\xef\xbb\xbf")
        ),
    )


@cache
def archive(kind: str) -> bytes:
    """A workbook that is none, or too much of one."""
    made = io.BytesIO()
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    )
    book = (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    cell = '<row r="%d"><c r="%s%d" t="inlineStr"><is><t>x</t></is></c></row>'
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        if kind == "many entries":
            for number in range(5000):
                file.writestr(f"{number}/../../{number}", b"")
            return made.getvalue()
        if kind == "laughs":
            book = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{entities}]><w>&l11;</w>'
        elif kind == "outside":
            book = '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///nowhere">]><w>&x;</w>'
        file.writestr("xl/workbook.xml", b"\0" * (64 << 20) if kind == "bomb" else book)
        file.writestr("xl/_rels/workbook.xml.rels", relations)
        rows = {
            "far row": cell % (1048576, "A", 1048576),
            "far cell": cell % (1048576, "XFD", 1048576),
            "wide": cell % (1, "XFD", 1) + cell % (3000, "A", 3000),
            "no such cell": cell % (99999999, "ZZZZZ", 99999999),
            "nested": "<a>" * 50_000,
            "long": f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * (10 << 20)}</t></is></c></row>',
        }.get(kind, cell % (1, "A", 1))
        file.writestr("xl/worksheets/sheet1.xml", sheet % rows)
        if kind == "zeros":
            file.writestr("xl/media/zeros.bin", b"\0" * (200 << 20))
        file.writestr("[Content_Types].xml", "<Types/>")
    data = made.getvalue()
    if kind == "cut":
        return data[: len(data) // 2]
    if kind == "lying":
        # the directory says that the sheet has four bytes
        at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
        return data[: at + 24] + b"\4\0\0\0" + data[at + 28 :]
    return data


ARCHIVES = (
    "bomb",
    "zeros",
    "many entries",
    "laughs",
    "outside",
    "far row",
    "far cell",
    "wide",
    "no such cell",
    "nested",
    "long",
    "cut",
    "lying",
    "plain",
)


def _cells(text: str) -> bytes:
    """A list of inspectors with the same text in every cell."""
    names = [column.name for column in LIBRARIES["inspectors"].columns]
    return f"{','.join(names)}\n{','.join([text] * len(names))}\n".encode()


@cache
def big(kind: str) -> bytes:
    """Bodies that are mostly long."""
    return {
        "one line": b"x" * (10 << 20),
        "one quote": b'"' + b"x," * (1 << 20),
        "commas": b"," * (1 << 20),
        "lines": b"\n" * (1 << 20),
        "returns": b"\r" * (1 << 20),
        "nul": b"\0" * (1 << 20),
        "brackets": b"a = " + b"[" * 500_000,
        "json brackets": b"[" * 500_000,
        "json objects": b'{"a":' * 100_000,
        "json digits": b'{"a": ' + b"9" * 100_000 + b"}",
        "many fields": b"code,name,department\n" + b"p1,x,amr,\n" * 50_000,
        "long field": b"code,name,department\np1," + b"x" * (1 << 20) + b",amr\n",
        "spaces in cells": _cells("a" + " " * 200_000 + "b"),
        "brackets in cells": _cells("(" * 200_000),
        "dates in cells": _cells("2026-01-01~" * 20_000),
        "parquet": b"PAR1" + b"\xff" * 5000 + b"\xff\xff\xff\x7fPAR1",
        "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000,
        "pdf": b"%PDF-1.7\n" + b"\xff" * 5000,
        "html": b"<html><table>" + b"<tr>" * 50_000,
        "form": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\ncode\r\n--b--\r\n',
        "form without end": b"--b\r\n" * 50_000,
    }[kind]


BIG = (
    "one line",
    "one quote",
    "commas",
    "lines",
    "returns",
    "nul",
    "brackets",
    "json brackets",
    "json objects",
    "json digits",
    "many fields",
    "long field",
    "spaces in cells",
    "brackets in cells",
    "dates in cells",
    "parquet",
    "ole",
    "pdf",
    "html",
    "form",
    "form without end",
)
bodies = st.one_of(
    spoilt(EXAMPLE),
    spoilt(NOTICE),
    encoded(EXAMPLE),
    encoded(NOTICE),
    encoded(CSV),
    st.sampled_from(ARCHIVES).map(lambda kind: Sent(f"archive {kind}", partial(archive, kind))),
    st.sampled_from(BIG).map(lambda kind: Sent(kind, partial(big, kind))),
    st.binary(max_size=200).map(lambda data: Sent(repr(data), lambda: data)),
)
media = st.sampled_from(
    (
        None,
        None,
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json; charset=utf-16",
        "text/plain; charset=utf-7",
        "application/toml",
        "nonsense",
        "",
    )
)
"""None: the one that the route asks for."""
names = st.sampled_from(
    ("a.csv", "a.xlsx", "a.parquet", "a.xls", "a", "..", "../../a.csv", "长" * 60, "a.csv\u202e", ".csv")
)


def with_bodies(schema: dict[str, Any], *, raw: bool) -> list[tuple[str, str, dict[str, Any]]]:
    """Routes that take bytes as they are (``raw``), or JSON."""
    found = []
    for method, path, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {})
        if content and ("application/json" in content) is not raw:
            found.append((method, path, operation))
    return found


def address(path: str, operation: dict[str, Any], filename: str) -> tuple[str, dict[str, str]]:
    values = {"year": str(YEAR), "draw": DRAW}
    query = {}
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if name == "kind" and parameter["in"] == "query":
            query[name] = "inspectors"
        elif parameter["in"] == "path":
            path = path.replace("{" + name + "}", values.get(name) or str(example_of(parameter)))
        elif name == "filename":
            query[name] = filename
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = str(example_of(parameter))
    return path, query


def test_routes_that_take_bytes_refuse_what_they_cannot_read(
    drawn: Any, promised: Callable[..., None]
) -> None:
    client, schema = drawn.as_("dispatcher"), drawn.app.openapi()
    routes = with_bodies(schema, raw=True)
    assert len(routes) >= 5
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @many
    @given(at=st.integers(0, 10_000), body=bodies, kind=media, filename=names)
    def tried(at: int, body: Sent, kind: str | None, filename: str) -> None:
        method, path, operation = routes[at % len(routes)]
        target, query = address(path, operation, filename)
        asked = next(iter(operation["requestBody"]["content"]))
        headers = {"Content-Type": asked if kind is None else kind}
        answer = client.request(method, target, params=query, headers=headers, content=body.content())
        promised(drawn, method, path, answer)
        drawn.run_jobs()
        if answer.status_code == 202:
            job = client.get(answer.headers["Location"]).json()
            assert job["state"] in {"done", "failed"}, job
            if job["problem"] is not None:
                assert not job["problem"]["type"].endswith(":internal-error"), job["problem"]

    tried()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MEGABYTES


def test_routes_that_take_json_refuse_what_they_cannot_read(
    drawn: Any, promised: Callable[..., None]
) -> None:
    clients = [drawn.as_("dispatcher"), drawn.as_("amr")]
    routes = with_bodies(drawn.app.openapi(), raw=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    strange = st.sampled_from(
        (
            b"",
            b"null",
            b"[]",
            b"0",
            b'"x"',
            b"NaN",
            b'{"a": Infinity}',
            b"{",
            b"\xff\xfe{\0}\0",
            "{}".encode("utf-16"),
            "{}".encode("utf-32"),
            b"\xef\xbb\xbf{}",
            b'{"\\ud800": "\\udfff"}',
            b'{"a": "\xed\xa0\x80"}',
            b'{"a": "\\u0000"}',
            b'{"a": 1e400}',
            b'{"a": 1, "a": 2}',
        )
    ).map(lambda data: Sent(repr(data), lambda: data))
    long = st.sampled_from(("json brackets", "json objects", "json digits", "nul", "form", "one line"))

    @many
    @given(
        at=st.integers(0, 10_000),
        body=strange | long.map(lambda kind: Sent(kind, partial(big, kind))),
        kind=media,
        who=st.integers(0, 1),
    )
    def tried(at: int, body: Sent, kind: str | None, who: int) -> None:
        method, path, operation = routes[at % len(routes)]
        target, query = address(path, operation, "a.csv")
        headers = {
            "Content-Type": "application/json" if kind is None else kind,
            "If-Match": '"1"',
        }
        answer = clients[who].request(method, target, params=query, headers=headers, content=body.content())
        promised(drawn, method, path, answer)

    tried()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MEGABYTES


@pytest.mark.parametrize("value", ['"\\u0000"', '"\\ud800"', "9" * 5000, "[" * 2000 + "]" * 2000, "1e400"])
def test_no_value_of_a_plan_breaks_the_service(drawn: Any, value: str, promised: Callable[..., None]) -> None:
    """A plan's document is open JSON: any value may stand anywhere in it."""
    client = drawn.as_("dispatcher")
    read = client.get("/v1/plans/2023-09/document").json()["document"]
    for table in sorted(read):
        whole = json.dumps({**read, table: "HERE"}).replace('"HERE"', value)
        answer = client.post(
            "/v1/plans",
            content=f'{{"document": {whole}, "title": "x"}}',
            headers={"Content-Type": "application/json"},
        )
        promised(drawn, "POST", "/v1/plans", answer)
        assert answer.status_code in {400, 409, 413, 422}, (table, answer.text)


@pytest.mark.parametrize(
    "value",
    NASTY if DEEP else NASTY[:1] + NASTY[9:11] + NASTY[15:17],
    ids=lambda value: f"{value[:12]!r} {len(value)}",
)
def test_no_text_of_a_plan_breaks_the_service(drawn: Any, value: str, promised: Callable[..., None]) -> None:
    """A plan may come as TOML within JSON."""
    client = drawn.as_("dispatcher")
    text = client.get("/v1/plans/2023-09/plan.toml").text
    spoiled = [
        *(f"{line} = {value}\n{text}" for line in ("caps.daily", "plan.title", "tasks")),
        *(text.replace(old, value, 1) for old in ('"sealed"', "2023-08-23T15:59:24Z", "[2]", "2")),
    ]
    for one in spoiled:
        plan = f"p{next(NUMBERS)}"
        answer = client.post("/v1/plans", json={"toml": one.replace('"2023-09"', f'"{plan}"', 1)})
        promised(drawn, "POST", "/v1/plans", answer)
        assert answer.status_code in {201, 400, 409, 413, 422}, (one[:200], answer.text)
        for path in ("", "/document", "/plan.toml", "/prerequisites") if answer.status_code == 201 else ():
            promised(drawn, "GET", f"/v1/plans/{{plan}}{path}", client.get(f"/v1/plans/{plan}{path}"))
