"""Accounts: signing in and out, one's own password, the people of the service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from dualrandom.store import accounts
from dualrandom.store.tables import Role, SignIn, User
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
    tagged,
)
from dualrandom_api.service.fields import Body, Identifier, Mailbox, Name
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.security import COOKIE, PEOPLE, GuardedRoute, allow, csrf_token

router = APIRouter(route_class=GuardedRoute, tags=["accounts"])

PROBLEMS = (
    ProblemType(
        "sign-in-refused", 401, "无法登录", "signing in was refused",
        "核对用户名和密码。多次失败后账号会锁定一段时间；锁定期间正确的密码也不能登录。",
        "Check user name and password. After several failures the account is locked for a while, even for the right password.",
    ),
    ProblemType(
        "password-wrong", 403, "现有密码不正确", "the present password is wrong",
        "输入现有密码。", "Give your present password.",
    ),
    ProblemType(
        "password-weak", 422, "密码过于简单", "the password is too easy to guess",
        "换一个更长的密码，且不含用户名。", "Choose a longer one that does not contain the user name.",
    ),
    ProblemType(
        "username-taken", 409, "用户名已被使用", "the user name is taken", "换一个用户名。", "Choose another one.",
    ),
    ProblemType(
        "account-incomplete", 422, "角色、部门与检查人员不相符", "role, department and inspector do not go together",
        "部门账号须有部门；检查人员账号须有部门和人员编号；其他角色都没有。",
        "A department's account needs a department, a crew member's also an inspector's code; others have neither.",
    ),
    ProblemType(
        "own-account", 409, "不能在此更改自己的角色、部门、密码或停用自己",
        "nobody changes their own role, department or password here, or disables themselves",
        "请另一位调度员办理；自己的密码用 PUT /v1/me/password 更改。",
        "Ask another dispatcher; PUT /v1/me/password changes one's own password.",
    ),
    ProblemType(
        "unknown-department", 404, "没有这个部门，或不属于您", "there is no such department, or it is not yours",
        "核对部门编号。", "Check the department's id.",
    ),
    ProblemType(
        "unknown-user", 404, "没有这个用户", "there is no such user", "核对用户名。", "Check the user name.",
    ),
    ProblemType(
        "unknown-session", 404, "没有这个会话", "there is no such session",
        "GET /v1/sessions 列出有效的会话。", "GET /v1/sessions lists those that are valid.",
    ),
)  # fmt: skip

SESSION_NAME: Final = 16
"""So many characters of a token's hash name a session."""

Username = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._@-]{0,63}$", examples=["zhang.wei"])]
UsernameInPath = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._@-]{0,63}$",
        description="用户名 · a user name",
        examples=["zhang.wei"],
    ),
]
Password = Annotated[str, Field(max_length=1000, examples=["correct horse battery"])]


class NewSession(Body):
    """User name and password. ``cookie``: for pages, the token comes as an HttpOnly cookie and not in the answer."""

    username: Annotated[str, Field(max_length=200, examples=["zhang.wei"])]
    password: Password
    cookie: bool = False


class Person(BaseModel):
    """A person who has an account."""

    username: str = Field(examples=["zhang.wei"])
    name: str = Field(examples=["张伟"])
    role: Role
    department: str | None = Field(default=None, examples=["amr"])
    inspector: str | None = None
    email: str | None = None
    disabled: bool = False
    single_sign_on: bool = False
    version: int = 1


class SessionAnswer(BaseModel):
    """A session. ``token`` is shown this once; ``csrf`` goes into X-CSRF-Token where the cookie is used."""

    id: str = Field(examples=["9f86d081884c7d65"])
    expires_at: datetime
    token: str | None = Field(default=None, examples=["drs_…"])
    csrf: str | None = None
    user: Person


class SessionSummary(BaseModel):
    """A session that is still valid."""

    id: str = Field(examples=["9f86d081884c7d65"])
    created_at: datetime
    expires_at: datetime


class NewUser(Body):
    """A new person; without a password they can only enter through the provider of identities."""

    username: Username
    name: Name
    role: Role
    department: Identifier | None = None
    inspector: Identifier | None = None
    email: Mailbox | None = None
    password: Password | None = None


class UserChange(Body):
    """What is given is changed."""

    name: Name | None = None
    role: Role | None = None
    department: Identifier | None = None
    inspector: Identifier | None = None
    email: Mailbox | None = None
    disabled: bool | None = None
    password: Password | None = None


class NewPassword(Body):
    """One's own new password."""

    present: Password
    new: Password


def person(user: User) -> Person:
    """Return a person as the routes show them."""
    return Person(
        username=user.username,
        name=user.name,
        role=user.role,
        department=user.department_id,
        inspector=user.inspector,
        email=user.email,
        disabled=user.disabled,
        single_sign_on=user.subject is not None,
        version=user.version,
    )


def session_answer(
    service: Service, response: Response, user: User, token: str, row: SignIn, cookie: bool
) -> SessionAnswer:
    """Return a new session, with its token in the answer or in a cookie."""
    response.headers["Cache-Control"] = "no-store"
    answer = SessionAnswer(id=row.token_hash[:SESSION_NAME], expires_at=row.expires_at, user=person(user))
    if not cookie:
        answer.token = token
        return answer
    answer.csrf = csrf_token(service, token)
    give_cookie(service, response, token)
    return answer


def give_cookie(service: Service, response: Response, token: str) -> None:
    """Let a browser keep a session's token where no page can read it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=round(service.settings.session_hours * 3600),
        httponly=True,
        secure=service.settings.is_https,
        samesite="strict",
        path="/",
    )


@router.post(
    "/v1/sessions", status_code=201, **allow(Role.PUBLIC, problems=["sign-in-refused"], repeats=False)
)
def sign_in(service: ServiceDep, body: NewSession, response: Response) -> SessionAnswer:
    """登录 · Sign in with user name and password."""
    settings, now = service.settings, service.clock()
    with service.database.reading() as session:
        known = accounts.user_named(session, body.username)
    kept = None if known is None else known.password_hash
    right = service.passwords.is_right(kept, body.password)
    renewed = service.passwords.renewed(kept, body.password) if right else None
    rules = settings.passwords
    with service.database.writing() as session:
        user = accounts.attempt(
            session,
            body.username,
            right,
            now,
            failures=rules.failures,
            lock=timedelta(minutes=rules.locked_minutes),
        )
        if user is not None:
            if renewed is not None and user.password_hash == kept:
                user.password_hash = renewed
            lasts = timedelta(hours=settings.session_hours)
            token, row = accounts.sign_in(session, user, now, lasts, "password")
            return session_answer(service, response, user, token, row, body.cookie)
    raise refusal("sign-in-refused")


@router.get("/v1/sessions", **allow(*PEOPLE))
def own_sessions(service: ServiceDep, actor: ActorDep) -> list[SessionSummary]:
    """自己的有效会话 · One's own sessions."""
    assert actor.user is not None
    with service.database.reading() as session:
        rows = accounts.sessions_of(session, actor.user, service.clock())
    return [
        SessionSummary(id=row.token_hash[:SESSION_NAME], created_at=row.created_at, expires_at=row.expires_at)
        for row in rows
    ]


@router.delete(
    "/v1/sessions/{session_id}",
    status_code=204,
    **allow(*PEOPLE, object="session", problems=["unknown-session"]),
)
def sign_out(
    service: ServiceDep,
    actor: ActorDep,
    request: Request,
    response: Response,
    session_id: Annotated[
        str,
        Path(
            pattern=r"^(current|[0-9a-f]{16})$",
            description="会话编号，或 current · a session's id, or current",
            examples=["current"],
        ),
    ],
) -> None:
    """退出一个会话 · End one of one's own sessions."""
    name = session_id
    if name == "current":
        token = request.headers.get("authorization", "").partition(" ")[2].strip() or request.cookies.get(
            COOKIE, ""
        )
        name = accounts.digest_of(token)
        response.delete_cookie(COOKIE, path="/")
    with service.database.writing() as session:
        accounts.sign_out(session, actor, service.clock(), name)


class Me(Person):
    """One's own account; ``csrf`` goes into X-CSRF-Token where the cookie is used."""

    csrf: str | None = None


@router.get("/v1/me", **allow(*PEOPLE))
def me(service: ServiceDep, actor: ActorDep, request: Request, response: Response) -> Me:
    """自己的账号 · One's own account."""
    with service.database.reading() as session:
        user = accounts.the_user(session, actor.name.removeprefix("user:"))
    tagged(response, user.version)
    cookie = request.cookies.get(COOKIE)
    csrf = csrf_token(service, cookie) if cookie and "authorization" not in request.headers else None
    return Me(**person(user).model_dump(), csrf=csrf)


@router.put(
    "/v1/me/password", status_code=204, **allow(*PEOPLE, problems=["password-wrong", "password-weak"])
)
def change_own_password(service: ServiceDep, actor: ActorDep, body: NewPassword) -> None:
    """更改自己的密码，其他会话随即失效 · Change one's own password; all sessions end."""
    with service.database.reading() as session:
        user = accounts.the_user(session, actor.name.removeprefix("user:"))
    if not service.passwords.is_right(user.password_hash, body.present):
        raise refusal("password-wrong")
    hashed = service.passwords.hashed(body.new, user.username)
    with service.database.writing() as session:
        accounts.change_user(
            session, actor, service.clock(), user.username, user.version, {"password_hash": hashed}
        )


@router.get("/v1/users", response_model=Listing[Person], **allow(Role.DISPATCHER, Role.AUDITOR))
def people(service: ServiceDep, page: PageDep) -> dict[str, Any]:
    """账号列表 · All accounts."""
    after = after_of(page, str)
    with service.database.reading() as session:
        rows = accounts.users(session, after[0] if after else "", page.fetch)
    return listing(rows, page, lambda user: [user.username], person)


@router.post(
    "/v1/users",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        problems=["username-taken", "account-incomplete", "password-weak", "unknown-department"],
    ),
)
def create_user(service: ServiceDep, actor: ActorDep, body: NewUser, response: Response) -> Person:
    """新建账号 · Add a person."""
    hashed = None if body.password is None else service.passwords.hashed(body.password, body.username)
    with service.database.writing() as session:
        user = accounts.create_user(
            session,
            actor,
            service.clock(),
            username=body.username,
            name=body.name,
            role=body.role,
            department=body.department,
            inspector=body.inspector,
            email=body.email,
            password_hash=hashed,
        )
    tagged(response, user.version)
    response.headers["Location"] = f"/v1/users/{user.username}"
    return person(user)


@router.get("/v1/users/{username}", **allow(Role.DISPATCHER, Role.AUDITOR, problems=["unknown-user"]))
def one_person(service: ServiceDep, username: UsernameInPath, response: Response) -> Person:
    """一个账号 · One account."""
    with service.database.reading() as session:
        user = accounts.the_user(session, username)
    tagged(response, user.version)
    return person(user)


@router.patch(
    "/v1/users/{username}",
    **allow(
        Role.DISPATCHER,
        problems=["unknown-user", "own-account", "account-incomplete", "password-weak", "unknown-department"],
    ),
)
def change_person(
    service: ServiceDep,
    actor: ActorDep,
    version: IfMatch,
    username: UsernameInPath,
    body: UserChange,
    response: Response,
) -> Person:
    """更改账号；更改角色、停用或重设密码后须重新登录 · Change an account; a new role or password ends its sessions."""
    sent = body.model_dump(exclude_unset=True)
    values = {
        name: value
        for name, value in sent.items()
        if name in {"department", "email", "inspector"} or value is not None
    }
    if "department" in values:
        values["department_id"] = values.pop("department")
    if "password" in values:
        if actor.name == f"user:{username}":
            # whoever has only the session must not get the account with it
            raise refusal("own-account", username)
        values["password_hash"] = service.passwords.hashed(values.pop("password"), username)
    with service.database.writing() as session:
        user = accounts.change_user(session, actor, service.clock(), username, version, values)
    tagged(response, user.version)
    return person(user)
