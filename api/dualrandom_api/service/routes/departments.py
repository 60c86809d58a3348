"""Departments and their API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, field_validator

from dualrandom.store import accounts
from dualrandom.store.tables import ApiKey, Department, Role
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.accounts import Body, Identifier, Name
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
Seat = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]


class DepartmentAnswer(BaseModel):
    """A department and the seats of its crews: for each seat the qualifications that it needs."""

    id: str = Field(examples=["amr"])
    name: str = Field(examples=["市场监督管理局"])
    name_en: str
    seats: list[list[str]] = Field(examples=[[["leader"], []]])
    active: bool


class DepartmentChange(Body):
    """What a department is called, and who sits in its crews."""

    name: Name
    name_en: Name
    seats: Annotated[list[Annotated[list[Seat], Field(max_length=10)]], Field(min_length=1, max_length=10)]
    active: bool = True


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


class NewKeyAnswer(KeyAnswer):
    """A new API key, shown this once."""

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


def department_answer(row: Department) -> DepartmentAnswer:
    """Return a department as the routes show it."""
    return DepartmentAnswer(id=row.id, name=row.name, name_en=row.name_en, seats=row.seats, active=row.active)


def key_answer(row: ApiKey) -> KeyAnswer:
    """Return a key as the routes show it."""
    return KeyAnswer(
        prefix=row.prefix,
        name=row.name,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


@router.get("/v1/departments", **allow(*PEOPLE, scope="departments:read"))
def departments(service: ServiceDep) -> list[DepartmentAnswer]:
    """全部部门 · All departments."""
    with service.database.reading() as session:
        return [department_answer(row) for row in accounts.departments(session)]


@router.post("/v1/departments", status_code=201, **allow(Role.DISPATCHER, problems=["department-exists"]))
def create_department(service: ServiceDep, actor: ActorDep, body: NewDepartment) -> DepartmentAnswer:
    """新建部门 · Add a department."""
    with service.database.writing() as session:
        row = accounts.create_department(session, actor, service.clock(), Department(**body.model_dump()))
        return department_answer(row)


@router.put("/v1/departments/{department}", **allow(Role.DISPATCHER, problems=["unknown-department"]))
def change_department(
    service: ServiceDep, actor: ActorDep, department: DepartmentId, body: DepartmentChange
) -> DepartmentAnswer:
    """更改部门 · Change a department; draws that were announced keep what they froze."""
    with service.database.writing() as session:
        row = accounts.change_department(session, actor, service.clock(), department, body.model_dump())
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
        return [key_answer(row) for row in accounts.keys_of(session, actor, department)]


@router.post(
    "/v1/departments/{department}/api-keys",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        object="department",
        problems=["unknown-department", "unknown-scope"],
    ),
)
def create_key(
    service: ServiceDep, actor: ActorDep, department: DepartmentId, body: NewKey, response: Response
) -> NewKeyAnswer:
    """新建 API 密钥，只显示一次 · Make an API key; it is shown this once."""
    foreign = sorted(set(body.scopes) - SCOPES.keys())
    if foreign:
        raise refusal("unknown-scope", " ".join(foreign))
    now = service.clock()
    with service.database.writing() as session:
        key, row = accounts.create_key(
            session,
            actor,
            now,
            department=department,
            name=body.name,
            scopes=body.scopes,
            expires_at=now + timedelta(days=body.days),
        )
    response.headers["Cache-Control"] = "no-store"
    return NewKeyAnswer(**key_answer(row).model_dump(), key=key)


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
    prefix: Annotated[
        str, Path(pattern=r"^[0-9a-f]{8}$", description="密钥前缀 · the key's prefix", examples=["1a2b3c4d"])
    ],
) -> KeyAnswer:
    """吊销 API 密钥 · Revoke an API key, at once."""
    with service.database.writing() as session:
        return key_answer(accounts.revoke_key(session, actor, service.clock(), department, prefix))
