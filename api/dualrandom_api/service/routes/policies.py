"""The office's policies (docs/policies.md): TOML documents in versions, which plans cite by their id."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from fastapi import Body as RawBody
from pydantic import BaseModel, Field

from dualrandom.policy.documents import shipped_policies
from dualrandom.store import policies
from dualrandom.store.tables import PolicyRow, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
    tagged,
    the_version,
)
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["policies"])

PROBLEMS = (
    ProblemType(
        "unknown-policy", 404, "没有这份政策", "there is no such policy", "核对代码。", "Check the id.",
    ),
    ProblemType(
        "policy-too-large", 422, "政策文件过大", "the policy is too large", "最大 1 MB。", "1 MB at most.",
    ),
)  # fmt: skip

EXAMPLE = """[policy]
id = "ezhou-2026"
version = "1"
name = "鄂州市抽查规定"
level = "city"
authority = "鄂州市人民政府"
valid_from = 2026-01-01

[[rules]]
id = "cap"
kind = "annual-cap"
source = "鄂州政发 2026 年 1 号"
times = 2
"""

PolicyId = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="政策代码 · a policy's id",
        examples=["ezhou-2026"],
    ),
]


class PolicyAnswer(BaseModel):
    """One version of a policy. ``number`` null: it came with the release."""

    id: str = Field(examples=["ezhou-2026"])
    number: int | None = None
    name: str
    name_en: str
    digest: str = Field(description="SHA-256 of the document")
    withdrawn: bool = False
    at: datetime | None = None
    by: str | None = None


class PolicyText(PolicyAnswer):
    """A version with its text."""

    toml: str


class ShippedPolicies(BaseModel):
    """The policies that this release brings along."""

    items: list[PolicyAnswer]


def _answer(row: PolicyRow) -> PolicyAnswer:
    return PolicyAnswer(
        id=row.policy,
        number=row.number,
        name=row.name,
        name_en=row.name_en,
        digest=row.digest,
        withdrawn=row.withdrawn,
        at=row.at,
        by=row.by,
    )


@router.get("/v1/policies", response_model=Listing[PolicyAnswer], **allow(*PEOPLE, scope="plans:read"))
def own_policies(service: ServiceDep, page: PageDep) -> dict[str, Any]:
    """本机关现行的政策 · The office's policies that plans may cite."""
    after = after_of(page, str)
    with service.database.reading() as session:
        found = policies.current(session, after[0] if after else "", page.fetch)
    return listing(found, page, lambda row: [row.policy], _answer)


@router.get("/v1/shipped-policies", **allow(*PEOPLE, scope="plans:read"))
def shipped() -> ShippedPolicies:
    """随附的政策 · The policies that came along."""
    return ShippedPolicies(
        items=[
            PolicyAnswer(id=one.id, name=one.name, name_en=one.name_en, digest=one.digest)
            for one in shipped_policies().values()
        ]
    )


@router.post(
    "/v1/policies",
    status_code=201,
    **allow(
        Role.DISPATCHER, problems=["input-refused", "policy-too-large", "changed-meanwhile", "header-invalid"]
    ),
)
def upload(
    service: ServiceDep,
    actor: ActorDep,
    content: Annotated[
        bytes,
        RawBody(media_type="application/toml", description="政策文件 · the document", examples=[EXAMPLE]),
    ],
    response: Response,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="更新已有政策时，其版次 · the number of the version that it replaces",
            examples=['"1"'],
        ),
    ] = None,
) -> PolicyAnswer:
    """上传政策；更新时带 If-Match，旧版保留 · Upload a policy; with If-Match a new version of one that is there."""
    base = None if if_match is None else the_version(if_match)
    with service.database.writing() as session:
        row = policies.upload(session, content, actor=actor, now=service.clock(), base=base)
    tagged(response, row.number)
    response.headers["Location"] = f"/v1/policies/{row.policy}"
    return _answer(row)


@router.get("/v1/policies/{policy}", **allow(*PEOPLE, scope="plans:read", problems=["unknown-policy"]))
def one_policy(service: ServiceDep, policy: PolicyId, response: Response) -> PolicyText:
    """一份政策的最新版 · The newest version of a policy."""
    with service.database.reading() as session:
        row = policies.versions(session, policy)[0]
    tagged(response, row.number)
    return PolicyText(**_answer(row).model_dump(), toml=row.content)


@router.get(
    "/v1/policies/{policy}/versions",
    response_model=Listing[PolicyText],
    **allow(*PEOPLE, scope="plans:read", problems=["unknown-policy"]),
)
def policy_versions(service: ServiceDep, policy: PolicyId) -> dict[str, Any]:
    """历次版本，最新在前 · All versions, the newest first."""
    with service.database.reading() as session:
        rows = policies.versions(session, policy)
    items = [PolicyText(**_answer(row).model_dump(), toml=row.content) for row in rows]
    return {"items": items, "next": None}


@router.delete(
    "/v1/policies/{policy}",
    **allow(Role.DISPATCHER, problems=["unknown-policy", "changed-meanwhile"]),
)
def withdraw(service: ServiceDep, actor: ActorDep, policy: PolicyId, version: IfMatch) -> PolicyAnswer:
    """撤回：新计划不能再引用，各版保留 · No plan can cite it any more; its versions stay."""
    with service.database.writing() as session:
        return _answer(policies.withdraw(session, policy, version, actor=actor, now=service.clock()))
