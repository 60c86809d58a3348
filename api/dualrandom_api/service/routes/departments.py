"""Departments and their API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator
from sqlmodel import Session

from dualrandom.store import api_keys, approvals
from dualrandom.store import departments as kept
from dualrandom.store.activity import Actor
from dualrandom.store.tables import ApiKey, Department, Role
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.fields import Body, Identifier, Mailbox, Name
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.approvals import ApprovalAnswer, asked
from dualrandom_api.service.security import PEOPLE, SCOPES, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["departments"])

PROBLEMS = (
    ProblemType(
        "department-exists", 409, "部门已存在", "the department exists already",
        "用 PUT 更改它。", "Change it with PUT.",
    ),
    ProblemType(
        "unknown-key", 404, "没有这个密钥", "there is no such key",
        "核对密钥的前缀。", "Check the key's prefix.",
    ),
    ProblemType(
        "key-collected", 409, "密钥已领取、吊销或过期", "the key was collected or revoked, or has expired",
        "遗失的，吊销后重新申请。", "If it is lost, revoke it and ask for another one.",
    ),
    ProblemType(
        "key-ended", 409, "密钥已吊销或过期", "the key was revoked or has expired",
        "申请新的密钥。", "Ask for a new one.",
    ),
    ProblemType(
        "key-of-another-person", 403, "只有申请人可以领取密钥", "only who asked for the key can collect it",
        "请申请人领取，或自行申请。", "Have them collect it, or ask for one of your own.",
    ),
    ProblemType(
        "unknown-scope", 422, "没有这个权限范围", "there is no such scope",
        "GET /v1/scopes 列出全部。", "GET /v1/scopes lists them.",
    ),
)  # fmt: skip

LONGEST_DAYS = 366

DepartmentId = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="部门编号 · a department's id",
        examples=["amr"],
    ),
]
Prefix = Annotated[
    str, Path(pattern=r"^[0-9a-f]{8}$", description="密钥前缀 · the key's prefix", examples=["1a2b3c4d"])
]
Seat = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]


class DepartmentAnswer(BaseModel):
    """A department and the seats of its crews: for each seat the qualifications that it needs."""

    id: str = Field(examples=["amr"])
    name: str = Field(examples=["市场监督管理局"])
    name_en: str
    seats: list[list[str]] = Field(examples=[[["leader"], []]])
    active: bool
    email: str | None = None


class DepartmentChange(Body):
    """What a department is called, and who sits in its crews."""

    name: Name
    name_en: Name
    seats: Annotated[list[Annotated[list[Seat], Field(max_length=10)]], Field(min_length=1, max_length=10)]
    active: bool = True
    email: Annotated[
        Mailbox | None,
        Field(description="消息寄往的邮箱，没有则寄给其人员 · where its messages go; none: to its people"),
    ] = None


class NewDepartment(DepartmentChange):
    """A new department."""

    id: Identifier


class KeyAnswer(BaseModel):
    """An API key, without the key."""

    prefix: str = Field(examples=["1a2b3c4d"])
    name: str
    scopes: list[str] = Field(examples=[["plans:read"]])
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    collected: bool = Field(
        description="申请人是否已领取；领取前不能使用 · whether it was collected; before that it cannot be used"
    )


class CollectedKey(KeyAnswer):
    """An API key, shown this once."""

    key: str = Field(examples=["drk_1a2b3c4d_…"])


class NewKey(Body):
    """A key for a program of the department."""

    name: Name
    scopes: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(min_length=1, max_length=50, examples=[["departments:read"]]),
    ]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 90

    @field_validator("scopes")
    @classmethod
    def _plain(cls, scopes: list[str]) -> list[str]:
        return sorted(set(scopes))


class Extension(Body):
    """For how many days more, from the second person's decision."""

    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 90


def department_answer(row: Department) -> DepartmentAnswer:
    """Return a department as the routes show it."""
    return DepartmentAnswer(
        id=row.id,
        name=row.name,
        name_en=row.name_en,
        seats=row.seats,
        active=row.active,
        email=row.email,
    )


def key_answer(row: ApiKey) -> KeyAnswer:
    """Return a key as the routes show it."""
    return KeyAnswer(
        prefix=row.prefix,
        name=row.name,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        collected=row.key_hash is not None,
    )


@router.get("/v1/departments", **allow(*PEOPLE, scope="departments:read"))
def departments(service: ServiceDep) -> list[DepartmentAnswer]:
    """全部部门 · All departments."""
    with service.database.reading() as session:
        return [department_answer(row) for row in kept.departments(session)]


@router.post("/v1/departments", status_code=201, **allow(Role.DISPATCHER, problems=["department-exists"]))
def create_department(service: ServiceDep, actor: ActorDep, body: NewDepartment) -> DepartmentAnswer:
    """新建部门 · Add a department."""
    with service.database.writing() as session:
        row = kept.create_department(session, actor, service.clock(), Department(**body.model_dump()))
        return department_answer(row)


@router.put("/v1/departments/{department}", **allow(Role.DISPATCHER, problems=["unknown-department"]))
def change_department(
    service: ServiceDep, actor: ActorDep, department: DepartmentId, body: DepartmentChange
) -> DepartmentAnswer:
    """更改部门 · Change a department; draws that were announced keep what they froze."""
    with service.database.writing() as session:
        row = kept.change_department(session, actor, service.clock(), department, body.model_dump())
        return department_answer(row)


@router.get("/v1/scopes", **allow(*PEOPLE))
def scopes() -> list[str]:
    """API 密钥的全部权限范围 · All scopes that an API key can have."""
    return sorted(SCOPES)


@router.get(
    "/v1/departments/{department}/api-keys",
    **allow(Role.DISPATCHER, Role.DEPARTMENT, object="department", problems=["unknown-department"]),
)
def keys(service: ServiceDep, actor: ActorDep, department: DepartmentId) -> list[KeyAnswer]:
    """部门的 API 密钥（不含密钥本身） · A department's API keys, without the keys themselves."""
    with service.database.reading() as session:
        return [key_answer(row) for row in api_keys.keys_of(session, actor, department)]


@router.post(
    "/v1/departments/{department}/api-keys",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        object="department",
        problems=["unknown-department", "unknown-scope"],
    ),
)
def ask_for_key(service: ServiceDep, actor: ActorDep, department: DepartmentId, body: NewKey) -> JSONResponse:
    """申请 API 密钥；第二人同意后由申请人领取 · Ask for an API key; when a second person agrees, who asked collects it."""
    foreign = sorted(set(body.scopes) - SCOPES.keys())
    if foreign:
        raise refusal("unknown-scope", " ".join(foreign))
    with service.database.writing() as session:
        kept.the_department(session, actor, department)
        payload = {"department": department, **body.model_dump()}
        return _asked(service, session, actor, "issue-api-key", f"{department}: {body.name}", payload)


@router.post(
    "/v1/departments/{department}/api-keys/{prefix}/extension",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        object="department",
        problems=["unknown-department", "unknown-key", "key-ended"],
    ),
)
def ask_to_extend_key(
    service: ServiceDep, actor: ActorDep, department: DepartmentId, prefix: Prefix, body: Extension
) -> JSONResponse:
    """申请延长 API 密钥 · Ask to extend an API key that is still valid."""
    with service.database.writing() as session:
        api_keys.require_valid(api_keys.the_key(session, actor, department, prefix), service.clock())
        payload = {"department": department, "prefix": prefix, "days": body.days}
        return _asked(service, session, actor, "extend-api-key", f"key:{prefix}", payload)


def _asked(
    service: Service, session: Session, actor: Actor, action: str, subject: str, payload: dict[str, Any]
) -> JSONResponse:
    approval = approvals.ask(
        session,
        actor,
        service.clock(),
        action=action,
        subject=subject,
        payload=payload,
        lasts=service.settings.approval_time,
    )
    return asked(service, session, approval)


@router.post(
    "/v1/departments/{department}/api-keys/{prefix}/collection",
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        object="department",
        problems=["unknown-department", "unknown-key", "key-of-another-person", "key-collected"],
    ),
)
def collect_key(
    service: ServiceDep, actor: ActorDep, department: DepartmentId, prefix: Prefix, response: Response
) -> CollectedKey:
    """申请人领取 API 密钥，只显示一次 · Who asked for an API key collects it; it is shown this once."""
    with service.database.writing() as session:
        key, row = api_keys.collect_key(session, actor, service.clock(), department, prefix)
    response.headers["Cache-Control"] = "no-store"
    return CollectedKey(**key_answer(row).model_dump(), key=key)


@router.delete(
    "/v1/departments/{department}/api-keys/{prefix}",
    **allow(
        Role.DISPATCHER, Role.DEPARTMENT, object="department", problems=["unknown-department", "unknown-key"]
    ),
)
def revoke_key(
    service: ServiceDep,
    actor: ActorDep,
    department: DepartmentId,
    prefix: Prefix,
) -> KeyAnswer:
    """吊销 API 密钥 · Revoke an API key, at once."""
    with service.database.writing() as session:
        return key_answer(api_keys.revoke_key(session, actor, service.clock(), department, prefix))
