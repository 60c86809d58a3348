"""Signing in through a provider of identities, against a real one on a port: codes, PKCE, signed tokens, and all that may be wrong with them."""

import base64
import hashlib
import hmac
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from dualrandom.store.accounts import user_named
from dualrandom.store.tables import Role, User
from dualrandom_api.service.application import create_service
from dualrandom_api.service.settings import OidcMapping, OidcSettings

SECRET = "client secret"


@dataclass
class Provider:
    """An OpenID Connect provider: hands out codes, and for each code a token, if client and verifier are right."""

    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=dict)
    """What the next token says; None as a value takes a claim away."""
    signs_with: RSAKey | None = None
    forges: Callable[[str], str] | None = None
    """What somebody makes of the token on its way."""
    issuer: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def authorize(self, url: str) -> tuple[str, str]:
        """Be the person at the provider: agree, and return state and code of the way back."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["redirect_uri"] == "http://127.0.0.1:8000/v1/single-sign-on/return"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return query["state"], code

    def token(self, form: dict[str, str], authorization: str, now: int) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        client = base64.b64encode(f"office:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {client}":
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": "office",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": "li.lei",
            "name": "李雷",
            "groups": ["amr-inspection"],
        } | self.claims
        told = {name: value for name, value in claims.items() if value is not None}
        key = self.signs_with or self.key
        signed = jwt.encode({"alg": "RS256", "kid": key.kid}, told, key)
        signed = signed if self.forges is None else self.forges(signed)
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}


@pytest.fixture
def provider(fresh: Any) -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def answer(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            made.seen.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                described = {
                    "issuer": made.issuer,
                    "authorization_endpoint": f"{made.issuer}/authorize",
                    "token_endpoint": f"{made.issuer}/token",
                    "jwks_uri": f"{made.issuer}/keys",
                }
                self.answer(200, described)
            else:
                self.answer(200, {"keys": [made.key.as_dict(private=False)]})

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
            now = int(fresh.clock().timestamp())
            token = made.token(form, self.headers.get("Authorization", ""), now)
            self.answer(*((200, token) if token else (400, {"error": "invalid_grant"})))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(fresh: Any, provider: Provider) -> Iterator[TestClient]:
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id="office",
        client_secret=SecretStr(SECRET),
        mappings=[
            OidcMapping(claim="groups", value="dispatchers", role=Role.DISPATCHER),
            OidcMapping(claim="groups", value="amr-inspection", role=Role.DEPARTMENT, department="amr"),
            OidcMapping(claim="title", value="inspector", role=Role.CREW, department="amr"),
        ],
    )
    app = create_service(fresh.service.settings.model_copy(update={"oidc": oidc}), clock=fresh.clock)
    made = TestClient(app, follow_redirects=False)
    yield made
    app.state.service.database.close()


def leave(client: TestClient, provider: Provider) -> tuple[str, str]:
    answer = client.get("/v1/single-sign-on")
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    return provider.authorize(answer.headers["Location"])


def come_back(client: TestClient, state: str, code: str) -> Any:
    return client.get("/v1/single-sign-on/return", params={"state": state, "code": code})


def enter(client: TestClient, provider: Provider) -> Any:
    return come_back(client, *leave(client, provider))


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_a_person_whom_the_provider_knows_enters_with_the_role_of_their_group(
    client: TestClient, provider: Provider
) -> None:
    answer = enter(client, provider)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    me = client.get("/v1/me").json()
    assert (me["username"], me["role"], me["department"], me["single_sign_on"]) == (
        "li.lei",
        "department",
        "amr",
        True,
    )
    assert me["csrf"]
    # they have no password, and none lets them in
    refused = client.post("/v1/sessions", json={"username": "li.lei", "password": "Ordinary-27-horses"})
    assert refused.status_code == 401


def test_another_group_at_the_next_sign_in_is_another_role(client: TestClient, provider: Provider) -> None:
    enter(client, provider)
    provider.claims = {"groups": ["dispatchers"]}
    enter(client, provider)
    me = client.get("/v1/me").json()
    assert (me["username"], me["role"], me["department"]) == ("li.lei", "dispatcher", None)
    provider.claims = {"groups": [], "title": "inspector", "inspector": "p007"}
    enter(client, provider)
    assert client.get("/v1/me").json()["inspector"] == "p007"


@pytest.mark.parametrize("claims", [{"groups": ["others"]}, {"groups": None}, {"preferred_username": None}])
def test_nobody_enters_whom_no_mapping_fits(
    client: TestClient, provider: Provider, fresh: Any, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    refused = enter(client, provider)
    assert (refused.status_code, code(refused)) == (403, "single-sign-on-unknown")
    with fresh.service.database.reading() as session:
        assert user_named(session, "li.lei") is None


WRONG: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "another client": {"aud": "elsewhere"},
    "another issuer": {"iss": "https://elsewhere.example"},
    "expired": {"exp": 1},
    "no subject": {"sub": None},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    client: TestClient, provider: Provider, wrong: str
) -> None:
    provider.claims = WRONG[wrong]
    refused = enter(client, provider)
    assert (refused.status_code, code(refused)) == (403, "single-sign-on-refused")
    assert client.get("/v1/me").status_code == 401


def test_a_token_that_somebody_else_signed_is_refused(client: TestClient, provider: Provider) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert code(enter(client, provider)) == "single-sign-on-refused"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_key_of_the_providers_is_refused(
    client: TestClient, provider: Provider, algorithm: str
) -> None:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    def forged(token: str) -> str:
        # unsigned, or with what everybody knows as the secret: the provider's public key
        _, claims, _ = token.split(".")
        signed = f"{part({'alg': algorithm, 'kid': provider.key.kid})}.{claims}"
        digest = hmac.digest(provider.key.as_pem(private=False), signed.encode(), "sha256")
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return f"{signed}.{'' if algorithm == 'none' else signature}"

    provider.forges = forged
    assert code(enter(client, provider)) == "single-sign-on-refused"
    provider.forges = None
    assert enter(client, provider).status_code == 303


def test_new_keys_of_the_provider_are_fetched(client: TestClient, provider: Provider) -> None:
    assert enter(client, provider).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    assert enter(client, provider).status_code == 303
    assert provider.seen.count("/keys") == 2


def test_state_cookie_and_time_belong_together(client: TestClient, provider: Provider, fresh: Any) -> None:
    state, given = leave(client, provider)
    assert code(come_back(client, "another", given)) == "single-sign-on-refused"
    client.cookies.clear()
    assert code(come_back(client, state, given)) == "single-sign-on-refused"
    first = leave(client, provider)
    leave(client, provider)
    assert code(come_back(client, *first)) == "single-sign-on-refused"
    late = leave(client, provider)
    fresh.clock.pass_(minutes=11)
    assert code(come_back(client, *late)) == "single-sign-on-refused"
    denied = client.get("/v1/single-sign-on/return?error=access_denied&state=x")
    assert code(denied) == "single-sign-on-refused"


def test_a_code_works_once(client: TestClient, provider: Provider) -> None:
    state, given = leave(client, provider)
    assert come_back(client, state, given).status_code == 303
    assert code(come_back(client, state, given)) == "single-sign-on-refused"


def test_an_account_made_by_hand_is_not_taken_over_by_its_name(
    client: TestClient, provider: Provider, fresh: Any
) -> None:
    provider.claims = {"preferred_username": "dispatcher", "groups": ["dispatchers"]}
    refused = enter(client, provider)
    assert (refused.status_code, code(refused)) == (409, "username-taken")
    assert client.get("/v1/me").status_code == 401


def test_a_disabled_person_does_not_enter(client: TestClient, provider: Provider, fresh: Any) -> None:
    enter(client, provider)
    with fresh.service.database.writing() as session:
        user = user_named(session, "li.lei")
        assert isinstance(user, User)
        user.disabled = True
        session.add(user)
    assert client.get("/v1/me").status_code == 401
    assert code(enter(client, provider)) == "account-disabled"


def test_a_provider_that_is_away_is_told_and_without_one_there_is_none(fresh: Any) -> None:
    assert code(fresh.public.get("/v1/single-sign-on")) == "single-sign-on-off"
    oidc = OidcSettings(issuer="http://127.0.0.1:9", client_id="office", client_secret=SecretStr("x"))
    app = create_service(fresh.service.settings.model_copy(update={"oidc": oidc}), clock=fresh.clock)
    away = TestClient(app).get("/v1/single-sign-on")
    assert (away.status_code, code(away), away.headers["Retry-After"]) == (503, "provider-unreachable", "30")
    app.state.service.database.close()


def test_a_provider_that_is_away_is_not_asked_by_everybody_who_comes(fresh: Any, provider: Provider) -> None:
    oidc = OidcSettings(issuer=f"{provider.issuer}/nowhere", client_id="office", client_secret=SecretStr("x"))
    app = create_service(fresh.service.settings.model_copy(update={"oidc": oidc}), clock=fresh.clock)
    for _ in range(3):
        away = TestClient(app).get("/v1/single-sign-on")
        assert (away.status_code, code(away)) == (503, "provider-unreachable")
    assert len(provider.seen) == 1
    app.state.service.database.close()
