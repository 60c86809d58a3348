"""Who may call what: every role on every route, on one's own object and on another's; every cell is asserted.

``ROWS`` is written by hand and compared with the schema, so a new route needs a row here. For each route there are the roles that may call it
(D dispatcher, P department, C crew, A auditor, S support, * everybody), the scope that an API key needs, and the kind of object in
the path that belongs to somebody. Nothing that is asked here is kept: every transaction is rolled back.
"""

import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlmodel import Session, select

from dualrandom.store import accounts
from dualrandom.store.jobs import enqueue
from dualrandom.store.tables import Check, Department, DrawFile, LibraryRow, Referral, Visit
from dualrandom_api.service.manual import example_of
from dualrandom_api.service.parts import ServiceDatabase
from dualrandom_api.service.schema import operations

DATABASES = ("sqlite", "postgres") if os.environ.get("DUALRANDOM_DEEP") == "1" else ("sqlite",)
pytestmark = pytest.mark.parametrize("drawn_url", DATABASES, indirect=True)

ROLES = {"D": "dispatcher", "P": "department", "C": "crew", "A": "auditor", "S": "support", "*": "public"}

ROWS: dict[str, tuple[str, str, str]] = {
    "GET /": ("*", "", ""),
    "GET /healthz": ("*", "", ""),
    "GET /metrics": ("*", "", ""),
    "GET /readyz": ("*", "", ""),
    "GET /v1/activity": ("DA", "", ""),
    "GET /v1/activity/chain": ("DA", "", ""),
    "GET /v1/approvals": ("DPA", "", ""),
    "DELETE /v1/approvals/{approval}": ("DP", "", "approval"),
    "GET /v1/approvals/{approval}": ("DPA", "", "approval"),
    "POST /v1/approvals/{approval}/decision": ("DA", "", ""),
    "POST /v1/attachments": ("DPC", "findings:write", ""),
    "GET /v1/attachments/{sha256}": ("DPCA", "findings:read", "attachment"),
    "POST /v1/backups": ("DS", "", ""),
    "GET /v1/backups/latest": ("DAS", "", ""),
    "GET /v1/calendars/visits.ics": ("DPC", "visits:read", ""),
    "GET /v1/case-visits": ("DPCA", "cases:read", ""),
    "POST /v1/case-visits": ("DP", "cases:write", ""),
    "GET /v1/case-visits/{case}": ("DPCA", "cases:read", "case"),
    "POST /v1/case-visits/{case}/cancellation": ("DP", "cases:write", "case"),
    "POST /v1/case-visits/{case}/completion": ("DP", "cases:write", "case"),
    "POST /v1/case-visits/{case}/joining": ("DP", "cases:write", "case"),
    "GET /v1/deliveries": ("DS", "", ""),
    "POST /v1/deliveries/{delivery}/another-try": ("DS", "", ""),
    "GET /v1/departments": ("DPCAS", "departments:read", ""),
    "POST /v1/departments": ("D", "", ""),
    "PUT /v1/departments/{department}": ("D", "", ""),
    "GET /v1/departments/{department}/api-keys": ("DP", "", "department"),
    "POST /v1/departments/{department}/api-keys": ("DP", "", "department"),
    "DELETE /v1/departments/{department}/api-keys/{prefix}": ("DP", "", "department"),
    "POST /v1/departments/{department}/api-keys/{prefix}/collection": ("DP", "", "department"),
    "POST /v1/departments/{department}/api-keys/{prefix}/extension": ("DP", "", "department"),
    "GET /v1/draws": ("DPCAS", "draws:read", ""),
    "GET /v1/draws/{draw}": ("DPCAS", "draws:read", ""),
    "GET /v1/draws/{draw}/amendments": ("DPCAS", "draws:read", ""),
    "POST /v1/draws/{draw}/beacon": ("DA", "", ""),
    "POST /v1/draws/{draw}/closing": ("D", "", ""),
    "GET /v1/draws/{draw}/contributions": ("DPAS", "draws:read", "draw"),
    "POST /v1/draws/{draw}/contributions/{party}": ("DP", "contributions:write", "party"),
    "POST /v1/draws/{draw}/exclusions": ("D", "", ""),
    "GET /v1/draws/{draw}/exports/findings.{kind}": ("DPCA", "findings:read", ""),
    "GET /v1/draws/{draw}/exports/provincial-platform.json": ("DA", "", ""),
    "GET /v1/draws/{draw}/exports/visits.{kind}": ("DPCA", "visits:read", ""),
    "POST /v1/draws/{draw}/finding-sheets": ("DP", "findings:write", ""),
    "POST /v1/draws/{draw}/publication": ("DP", "findings:write", ""),
    "POST /v1/draws/{draw}/receipt-codes": ("DP", "receipts:write", ""),
    "GET /v1/draws/{draw}/sealed": ("A", "", ""),
    "POST /v1/draws/{draw}/sealed/readings": ("A", "", ""),
    "GET /v1/draws/{draw}/statistics": ("DPCAS", "draws:read", ""),
    "POST /v1/draws/{draw}/substitution-beacon": ("DA", "", ""),
    "POST /v1/draws/{draw}/void": ("D", "", ""),
    "POST /v1/draws/{draw}/withdrawals": ("DP", "plans:write", ""),
    "GET /v1/enterprises/{enterprise}/checks": ("DPCA", "ledger:read", ""),
    "GET /v1/exports/class-feedback.{kind}": ("DPA", "findings:read", ""),
    "GET /v1/exports/ledger.{kind}": ("DPCA", "ledger:read", ""),
    "GET /v1/finding-codes": ("DPCAS", "findings:read", ""),
    "GET /v1/findings": ("DPCA", "findings:read", ""),
    "GET /v1/findings/{finding}": ("DPCA", "findings:read", "finding"),
    "POST /v1/findings/{finding}/dispute": ("DP", "findings:write", "finding"),
    "POST /v1/findings/{finding}/referral": ("DP", "findings:write", "finding"),
    "POST /v1/findings/{finding}/removal": ("D", "", "finding"),
    "GET /v1/findings/{finding}/sealed": ("DPCA", "findings:read", "finding"),
    "GET /v1/findings/{finding}/text": ("DPCA", "findings:read", "finding"),
    "GET /v1/imports": ("DPAS", "libraries:read", ""),
    "POST /v1/imports": ("DP", "libraries:write", ""),
    "DELETE /v1/imports/{number}": ("DP", "libraries:write", "import"),
    "GET /v1/imports/{number}": ("DPAS", "libraries:read", "import"),
    "POST /v1/imports/{number}/acceptance": ("DP", "libraries:write", "import"),
    "GET /v1/imports/{number}/changes": ("DPAS", "libraries:read", "import"),
    "GET /v1/imports/{number}/problems": ("DP", "libraries:read", "import"),
    "GET /v1/jobs": ("DPA", "jobs:read", ""),
    "GET /v1/jobs/{job}": ("DPA", "jobs:read", "job"),
    "GET /v1/jobs/{job}/events": ("DPA", "jobs:read", "job"),
    "GET /v1/ledger": ("DPCA", "ledger:read", ""),
    "GET /v1/libraries": ("DPAS", "libraries:read", ""),
    "GET /v1/libraries/{kind}/revisions": ("DPAS", "libraries:read", ""),
    "GET /v1/libraries/{kind}/revisions/{number}/changes": ("DPAS", "libraries:read", ""),
    "GET /v1/libraries/{kind}/rows": ("DPAS", "libraries:read", ""),
    "POST /v1/libraries/{kind}/rows": ("DP", "libraries:write", ""),
    "DELETE /v1/libraries/{kind}/rows/{key}": ("DP", "libraries:write", "row"),
    "GET /v1/libraries/{kind}/rows/{key}": ("DPAS", "libraries:read", "row"),
    "PUT /v1/libraries/{kind}/rows/{key}": ("DP", "libraries:write", "row"),
    "GET /v1/libraries/{kind}/rows/{key}/versions": ("DPAS", "libraries:read", "row"),
    "GET /v1/libraries/{kind}/template": ("DPAS", "libraries:read", ""),
    "POST /v1/log/key": ("D", "", ""),
    "POST /v1/log/key/revocation": ("D", "", ""),
    "GET /v1/me": ("DPCAS", "", ""),
    "PUT /v1/me/password": ("DPCAS", "", ""),
    "GET /v1/messages": ("DPCAS", "messages:read", ""),
    "GET /v1/plan-template": ("D", "", ""),
    "GET /v1/plans": ("DPAS", "plans:read", ""),
    "POST /v1/plans": ("D", "", ""),
    "GET /v1/plans/{plan}": ("DPAS", "plans:read", "plan"),
    "POST /v1/plans/{plan}/announcement": ("D", "", ""),
    "POST /v1/plans/{plan}/check": ("DP", "plans:write", "plan"),
    "GET /v1/plans/{plan}/contributions": ("DPAS", "plans:read", "plan"),
    "PUT /v1/plans/{plan}/contributions/{party}": ("DP", "contributions:write", "party"),
    "POST /v1/plans/{plan}/copies": ("D", "", "plan"),
    "GET /v1/plans/{plan}/document": ("DPAS", "plans:read", "plan"),
    "PUT /v1/plans/{plan}/document": ("D", "", "plan"),
    "POST /v1/plans/{plan}/invitations": ("D", "", "plan"),
    "GET /v1/plans/{plan}/joins/{department}": ("DPAS", "plans:read", "join"),
    "PUT /v1/plans/{plan}/joins/{department}": ("DP", "plans:write", "join"),
    "POST /v1/plans/{plan}/joins/{department}/confirmation": ("DP", "plans:write", "join"),
    "POST /v1/plans/{plan}/joins/{department}/declination": ("DP", "plans:write", "join"),
    "GET /v1/plans/{plan}/plan.toml": ("DPAS", "plans:read", "plan"),
    "GET /v1/plans/{plan}/prerequisites": ("DPAS", "plans:read", "plan"),
    "POST /v1/plans/{plan}/tasks": ("DP", "plans:write", "plan"),
    "DELETE /v1/plans/{plan}/tasks/{task}": ("DP", "plans:write", "task"),
    "GET /v1/plans/{plan}/tasks/{task}": ("DPAS", "plans:read", "plan"),
    "PUT /v1/plans/{plan}/tasks/{task}": ("DP", "plans:write", "task"),
    "GET /v1/plans/{plan}/versions": ("DPAS", "plans:read", "plan"),
    "GET /v1/policies": ("DPCAS", "plans:read", ""),
    "POST /v1/policies": ("D", "", ""),
    "DELETE /v1/policies/{policy}": ("D", "", ""),
    "GET /v1/policies/{policy}": ("DPCAS", "plans:read", ""),
    "GET /v1/policies/{policy}/versions": ("DPCAS", "plans:read", ""),
    "GET /v1/public/blobs/{sha256}": ("*", "", ""),
    "GET /v1/public/draws": ("*", "", ""),
    "GET /v1/public/draws/{draw}": ("*", "", ""),
    "GET /v1/public/draws/{draw}/files/{path}": ("*", "", ""),
    "GET /v1/public/draws/{draw}/findings": ("*", "", ""),
    "GET /v1/public/log/{path}": ("*", "", ""),
    "POST /v1/public/receipts": ("*", "", ""),
    "POST /v1/public/scan-ins": ("*", "", ""),
    "GET /v1/public/statistics": ("*", "", ""),
    "GET /v1/public/verify.html": ("*", "", ""),
    "GET /v1/referrals": ("DPCA", "findings:read", ""),
    "PATCH /v1/referrals/{referral}": ("DP", "findings:write", "referral"),
    "GET /v1/scopes": ("DPCAS", "", ""),
    "GET /v1/sessions": ("DPCAS", "", ""),
    "POST /v1/sessions": ("*", "", ""),
    "DELETE /v1/sessions/{session_id}": ("DPCAS", "", "session"),
    "GET /v1/shipped-policies": ("DPCAS", "plans:read", ""),
    "GET /v1/single-sign-on": ("*", "", ""),
    "GET /v1/single-sign-on/return": ("*", "", ""),
    "GET /v1/users": ("DA", "", ""),
    "POST /v1/users": ("D", "", ""),
    "GET /v1/users/{username}": ("DA", "", ""),
    "PATCH /v1/users/{username}": ("D", "", ""),
    "GET /v1/visits": ("DPCA", "visits:read", ""),
    "GET /v1/visits/{visit}": ("DPCA", "visits:read", "visit"),
    "POST /v1/visits/{visit}/findings": ("DPC", "findings:write", "visit"),
    "PUT /v1/visits/{visit}/later": ("DP", "visits:write", "visit"),
    "GET /v1/visits/{visit}/notice": ("DPC", "visits:read", "visit"),
    "POST /v1/visits/{visit}/replacements": ("DP", "visits:write", "visit"),
    "POST /v1/visits/{visit}/scan-in": ("C", "", "visit"),
    "GET /v1/working-days": ("DPCAS", "plans:read", ""),
    "GET /v1/working-days/{year}": ("DPCAS", "plans:read", ""),
    "POST /v1/working-days/{year}": ("D", "", ""),
}

REFUSED_BY_ROLE = {"role-forbidden", "scope-missing", "not-signed-in", "csrf-refused"}
PEOPLE = {
    "D": ("dispatcher",),
    "P": ("amr", "fire"),
    "C": ("crew", "firecrew"),
    "A": ("auditor",),
    "S": ("support",),
}
OWNERS = {"amr", "crew"}
"""Whose the objects in the paths are; to ``fire`` and ``firecrew`` they are foreign."""
PERSONAL = {"session"}
"""Kinds of objects that are one person's: foreign to everybody else."""
NOTHING_THERE = {
    "DELETE /v1/policies/{policy}",
    "POST /v1/deliveries/{delivery}/another-try",
    "GET /v1/imports/{number}/problems",
    "GET /v1/policies/{policy}",
    "GET /v1/policies/{policy}/versions",
    "POST /v1/draws/{draw}/contributions/{party}",
    "GET /v1/single-sign-on",
    "GET /v1/single-sign-on/return",
}
"""Routes whose object this world lacks: who may ask learns so, the others do not."""
EXCEPTIONS: dict[tuple[str, str], str] = {
    # the library in the paths is that of the inspectors, and support sees no people
    ("GET /v1/imports/{number}", "support"): "unknown-import",
    ("GET /v1/imports/{number}/changes", "support"): "unknown-import",
    ("GET /v1/libraries/{kind}/rows/{key}", "support"): "unknown-row",
    ("GET /v1/libraries/{kind}/rows/{key}/versions", "support"): "unknown-row",
}
"""Cells with an answer of their own: its problem."""
SHARED = {"GET /v1/draws/{draw}/contributions"}
"""Whoever takes part sees them, and in this draw all do."""


def test_every_route_has_its_row_and_says_the_same(drawn: Any) -> None:
    said = {
        f"{method} {path}": (
            "".join(sorted(short for short, role in ROLES.items() if role in operation["x-roles"])),
            operation["x-scope"],
            operation["x-object"],
        )
        for method, path, operation in operations(drawn.app.openapi())
    }
    written = {name: ("".join(sorted(roles)), scope, kind) for name, (roles, scope, kind) in ROWS.items()}
    assert said == written


@pytest.fixture(scope="module")
def world(drawn: Any) -> Any:
    """The drawn town with an object of each kind that is ``amr``'s; ``world.values``: what stands in paths."""
    service = drawn.service
    values: dict[str, str] = {}
    dispatcher, amr = drawn.as_("dispatcher"), drawn.as_("amr")
    with service.database.writing() as session:
        values["draw"] = dispatcher.get("/v1/draws").json()["items"][0]["draw"]
        visit, check = _visit_of(session, "amr")
        values["visit"] = str(visit.id)
        of_fire = session.exec(select(Check).where(Check.department_id == "fire")).first()
        assert of_fire is not None
        for username, crew in (("crew", check.crew), ("firecrew", of_fire.crew)):
            member = accounts.the_user(session, username)
            member.inspector = crew[0]
            session.add(member)
        job = enqueue(session, "nothing", "x", now=drawn.clock(), by="user:amr")
        # its events end at once
        job.state = "done"
        values["job"] = str(job.id)
        row = session.exec(
            select(LibraryRow).where(LibraryRow.kind == "inspectors", LibraryRow.department == "amr")
        ).first()
        assert row is not None
        values |= {"kind": "inspectors", "key": row.key}
        task, item, date = check.task, check.items[0], str(visit.date)
    drawn._clients.pop("crew", None)
    drawn._clients.pop("firecrew", None)
    drawn.clock.pass_(days=60)
    finding = amr.post(
        f"/v1/visits/{values['visit']}/findings",
        json={"findings": [{"task": task, "item": item, "code": "5", "method": "on-site", "found_on": date}]},
    )
    assert finding.status_code == 201, finding.text
    values["finding"] = str(_first(finding.json())["id"])
    with service.database.writing() as session:
        referral = Referral(
            finding_id=int(values["finding"]), to_department="amr", at=drawn.clock(), by="user:amr"
        )
        session.add(referral)
        session.flush()
        values["referral"] = str(referral.id)
    attachment = amr.post(
        "/v1/attachments?filename=a.txt",
        content=b"photo",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert attachment.status_code == 201, attachment.text
    values["sha256"] = attachment.json()["sha256"]
    case = amr.post("/v1/case-visits", json=_case(drawn, task, item))
    assert case.status_code == 201, case.text
    values["case"] = str(case.json()["id"])
    asked = amr.post("/v1/departments/amr/api-keys", json={"name": "k", "scopes": ["departments:read"]})
    values["prefix"] = drawn.approved(asked)["result"]["prefix"]
    asked = amr.post(f"/v1/departments/amr/api-keys/{values['prefix']}/extension", json={})
    values["approval"] = str(asked.json()["id"])
    csv = b"code,name\n"
    imported = amr.post(
        "/v1/imports?kind=inspectors&filename=a.csv",
        content=csv,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert imported.status_code == 202, imported.text
    with service.database.reading() as session:
        blob = session.exec(select(DrawFile).where(DrawFile.path == "public/result.json")).one()
    drawn.of_route = {
        "GET /v1/public/blobs/{sha256}": {"sha256": blob.blob},
        "GET /v1/public/log/{path}": {"path": "checkpoint"},
        "GET /v1/libraries/{kind}/revisions/{number}/changes": {"number": "1"},
        "GET /v1/working-days/{year}": {"year": "2023"},
        "POST /v1/working-days/{year}": {"year": "2023"},
    }
    own = drawn.as_("amr").get("/v1/sessions").json()
    values["session_id"] = own[0]["id"]
    values["number"] = imported.json()["url"].rpartition("/")[2]
    values |= _plan(drawn)
    values |= {"department": "amr", "party": "amr", "username": "auditor"}
    drawn.values = values
    return drawn


def _first(answer: Any) -> Any:
    for name in ("items", "findings"):
        if isinstance(answer, dict) and name in answer:
            return answer[name][0]
    return answer[0] if isinstance(answer, list) else answer


def _visit_of(session: Session, department: str) -> tuple[Visit, Check]:
    """A visit of one department only, and its check."""
    for visit in session.exec(select(Visit).where(Visit.date.is_not(None))):  # type: ignore[union-attr]
        checks = session.exec(select(Check).where(Check.visit_id == visit.id)).all()
        if {check.department_id for check in checks} == {department} and checks[0].crew:
            return visit, checks[0]
    raise AssertionError(department)


def _case(running: Any, task: str, item: str) -> dict[str, Any]:
    body: dict[str, Any] = _body(running, "POST /v1/case-visits")
    with running.service.database.reading() as session:
        firm = session.exec(select(LibraryRow).where(LibraryRow.kind == "enterprises")).first()
        assert firm is not None
    return body | {
        "enterprise": firm.key,
        "items": [item],
        "date": str((running.clock()).date()),
        "department": "amr",
    }


def _plan(running: Any) -> dict[str, str]:
    """A second plan, to which only ``amr`` is invited, with a task of its own."""
    with running.service.database.reading() as session:
        known = {row.id for row in session.exec(select(Department))}
    assert {"amr", "fire"} <= known
    dispatcher = running.as_("dispatcher")
    text = dispatcher.get("/v1/plans/2023-09/plan.toml").text
    document = json.loads(json.dumps(tomllib.loads(text), default=lambda value: value.isoformat()))
    (task, *_) = [one for one in document.pop("tasks") if one["department"] == "amr"]
    for table in ("departments", "libraries"):
        document.pop(table, None)
    document["plan"]["id"] = "2023-10"
    document["contributions"] = [{"party": "amr", "name": "市场监管"}]
    made = dispatcher.post("/v1/plans", json={"document": document, "title": "十月"})
    assert made.status_code == 201, made.text
    invited = dispatcher.post("/v1/plans/2023-10/invitations", json={"departments": ["amr"]})
    assert invited.status_code == 201, invited.text
    row = {key: value for key, value in task.items() if key not in {"id", "department"}}
    added = running.as_("amr").post(
        "/v1/plans/2023-10/tasks", json={"id": task["id"], "department": "amr", "task": row}
    )
    assert added.status_code == 201, added.text
    return {"plan": "2023-10", "task": str(task["id"])}


def _body(running: Any, name: str) -> Any:
    """A body that the route's schema accepts, made from its examples."""
    method, _, path = name.partition(" ")
    schema = running.app.openapi()
    operation = schema["paths"][path][method.lower()]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        return _made(content["schema"], schema) if kind == "application/json" else b"x"
    return None


def _made(part: Any, schema: Any) -> Any:
    if "$ref" in part:
        return _made(schema["components"]["schemas"][part["$ref"].rpartition("/")[2]], schema)
    for name in ("examples", "example"):
        if part.get(name):
            return part[name][0] if name == "examples" else part[name]
    if "const" in part or "enum" in part:
        return part.get("const", (part.get("enum") or [None])[0])
    if "default" in part:
        return part["default"]
    for name in ("anyOf", "oneOf", "allOf"):
        if name in part:
            return _made(part[name][0], schema)
    kind = part.get("type")
    if kind == "object":
        return {
            name: _made(value, schema)
            for name, value in part.get("properties", {}).items()
            if name in part.get("required", ())
        }
    if kind == "array":
        return [_made(part["items"], schema)] if part.get("minItems") else []
    if kind == "string":
        return {"date": "2023-10-20", "date-time": "2023-10-20T02:00:00Z"}.get(
            part.get("format"), "some text"
        )
    return {"integer": part.get("minimum", 1), "number": 1, "boolean": True}.get(kind)


DRAW = "yunxi-2023-000001"
BODIES: dict[str, Any] = {
    "POST /v1/draws/{draw}/contributions/{party}": {"draw": DRAW, "party": "amr", "nonce": "00" * 32},
    "PUT /v1/plans/{plan}/contributions/{party}": {
        "draw": DRAW,
        "party": "amr",
        "key": "A" * 43 + "=",
        "commitment": "00" * 32,
        "signature": "A" * 86 + "==",
    },
}
"""Where an example of each member makes no sense together."""


@contextmanager
def _undone(self: ServiceDatabase, *, apart: bool = False) -> Iterator[Session]:
    """A transaction that looks like any other and is rolled back at its end."""
    with Session(self.engine.execution_options(writing=True), expire_on_commit=False) as session:
        session.begin()
        yield session
        session.flush()
        # what the route still shows of them is no longer asked for
        session.expunge_all()
        session.rollback()


def ask(world: Any, client: Any, name: str, operation: Any) -> Any:
    """Send a request that could be right, and return the answer."""
    method, _, path = name.partition(" ")
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            known = {**world.values, **world.of_route.get(name, {})}
            value = known.get(parameter["name"]) or str(example_of(parameter))
            path = path.replace("{" + parameter["name"] + "}", value)
    query = {
        parameter["name"]: example_of(parameter)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter.get("required")
    }
    headers = {}
    if any(one["name"] == "If-Match" for one in operation.get("parameters", [])):
        headers["If-Match"] = '"1"'
    body = BODIES.get(name, _body(world, name))
    content = operation.get("requestBody", {}).get("content", {})
    if content and "application/json" not in content:
        headers["Content-Type"] = next(iter(content))
    sent = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
    return client.request(method, path, params=query, headers=headers, follow_redirects=False, **sent)


def code_of(answer: Any) -> str:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return ""
    return str(answer.json()["type"]).rpartition(":")[2]


@pytest.fixture(scope="module")
def keys(world: Any) -> dict[str, Any]:
    """A client with an API key of ``amr`` for each scope, and one whose key may do nothing."""
    scopes = {scope for _, scope, _ in ROWS.values() if scope}
    return {scope: world.api_key("amr", scope) for scope in scopes} | {"": world.api_key("amr", "none")}


@pytest.mark.parametrize("name", ROWS)
def test_a_route_admits_those_whom_its_row_names(
    world: Any, keys: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles, scope, kind = ROWS[name]
    method, _, path = name.partition(" ")
    operation = world.app.openapi()["paths"][path][method.lower()]
    clients = {username: world.as_(username) for those in PEOPLE.values() for username in those}
    monkeypatch.setattr(ServiceDatabase, "writing", _undone)
    wrong = []

    def cell(who: str, client: Any, expected: str) -> None:
        answer = ask(world, client, name, operation)
        code = code_of(answer)
        refused = code in REFUSED_BY_ROLE
        seen = (
            "401"
            if answer.status_code == 401 and refused
            else "403"
            if answer.status_code == 403 and refused
            else "404"
            if answer.status_code == 404
            else "500"
            if answer.status_code >= 500 and answer.status_code not in {501, 503}
            else "in"
        )
        if seen != expected and (name, who) not in EXCEPTIONS:
            wrong.append(f"{who}: {expected} expected, {answer.status_code} {code} {answer.text[:200]}")
        elif (name, who) in EXCEPTIONS and code != EXCEPTIONS[name, who]:
            wrong.append(
                f"{who}: {EXCEPTIONS[name, who]} expected, {answer.status_code} {code} {answer.text[:200]}"
            )

    if "*" in roles:
        expected = "404" if name in NOTHING_THERE else "in"
        for who, client in {"public": world.public, **clients}.items():
            cell(who, client, expected)
        assert wrong == []
        return
    cell("public", world.public, "401")
    for short, those in PEOPLE.items():
        for who in those:
            if short not in roles:
                cell(who, clients[who], "403")
            else:
                foreign = kind != "" and short in "PC" and who not in OWNERS and name not in SHARED
                if kind in PERSONAL:
                    foreign = who != "amr"
                cell(who, clients[who], "404" if foreign or name in NOTHING_THERE else "in")
    there = "404" if name in NOTHING_THERE else "in"
    cell("key with the scope", keys[scope], there if scope and "P" in roles else "403")
    cell("key without it", keys[""], "403")
    assert wrong == []
