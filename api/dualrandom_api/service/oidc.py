"""Signing in through a provider of identities: OpenID Connect Core, authorisation code with PKCE (RFC 7636), by Authlib.

What has to be remembered between leaving for the provider and coming back (state, nonce, verifier) travels in a sealed cookie, so any
server can finish what another one began. The ID token is believed if its signature is by a key of the provider's, it was issued by it
to this client, for this very sign-in (nonce), and has not expired. Who gets which role is configured; nobody whom no mapping fits may enter.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dualrandom.store.tables import Role
from dualrandom_api.service.problems import refusal
from dualrandom_api.service.sealing import Sealer
from dualrandom_api.service.settings import OidcMapping, OidcSettings

PATIENCE: Final = 10.0
LARGEST: Final = 1 << 20
KEEPS: Final = 3600.0
"""Seconds for which the provider's description and keys are kept."""
QUIET: Final = 10.0
"""Seconds for which a provider that did not answer is not asked again."""
LASTS: Final = 600
"""Seconds that a person may take at the provider."""
LEEWAY: Final = 60
"""Seconds by which the clocks may differ."""
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
USERNAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{0,63}")
LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is, and what the mappings make of it."""

    issuer: str
    subject: str
    username: str
    name: str
    role: Role
    department: str | None
    inspector: str | None


class Provider:
    """An OpenID Connect provider and this client's settings with it."""

    def __init__(self, settings: OidcSettings, redirect_uri: str, secret: bytes) -> None:
        self.settings = settings
        self.redirect_uri = redirect_uri
        self._sealer = Sealer(secret, "single-sign-on")
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any], KeySet] | None = None
        self._quiet_until = 0.0

    def leave(self, now: datetime) -> tuple[str, str]:
        """Return where to send the browser, and the cookie to come back with. Raises RefusalError ``provider-unreachable``."""
        described, _ = self._described()
        nonce, verifier = generate_token(32), generate_token(64)
        url, state = self._client().create_authorization_url(
            described["authorization_endpoint"],
            state=generate_token(32),
            code_verifier=verifier,
            nonce=nonce,
        )
        kept = {"at": int(now.timestamp()), "nonce": nonce, "state": state, "verifier": verifier}
        return str(url), self._sealer.seal(json.dumps(kept).encode())

    def come_back(self, cookie: str, state: str, code: str, now: datetime) -> Identity:
        """Return who has signed in. Raises RefusalError ``single-sign-on-refused``, ``provider-unreachable``."""
        kept = self._remembered(cookie, state, now)
        described, _ = self._described()
        try:
            token = self._client().fetch_token(
                described["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=kept["verifier"],
            )
            claims = self._claims(token["id_token"], kept["nonce"], now)
        except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError) as error:
            raise refused(f"{type(error).__name__}") from None
        return self._identity(claims)

    def _client(self) -> Any:
        return OAuth2Client(
            _Http(),
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret.get_secret_value(),
            scope=self.settings.scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
        )

    def _remembered(self, cookie: str, state: str, now: datetime) -> dict[str, Any]:
        raw = self._sealer.open(cookie)
        if raw is None:
            raise refused("cookie")
        kept: dict[str, Any] = json.loads(raw)
        if kept["state"] != state or not 0 <= now.timestamp() - kept["at"] <= LASTS:
            raise refused("state")
        return kept

    def _claims(self, id_token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        _, keys = self._described()
        try:
            decoded = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # the provider may have changed its keys
            _, keys = self._described(anew=True)
            decoded = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
            },
            params={"nonce": nonce, "client_id": self.settings.client_id},
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        return dict(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        mapping = next((one for one in self.settings.mappings if _fits(claims, one)), None)
        username = claims.get(self.settings.username_claim)
        if mapping is None or not isinstance(username, str) or USERNAME.fullmatch(username) is None:
            raise refusal("single-sign-on-unknown", str(claims.get("sub", "")))
        inspector = claims.get(self.settings.inspector_claim)
        return Identity(
            issuer=self.settings.issuer,
            subject=str(claims["sub"]),
            username=username,
            name=str(claims.get(self.settings.name_claim) or username),
            role=mapping.role,
            department=mapping.department,
            inspector=str(inspector) if mapping.role is Role.CREW and inspector else None,
        )

    def _described(self, *, anew: bool = False) -> tuple[dict[str, Any], KeySet]:
        """Return the provider's description and keys.

        They are fetched by one request at a time, and for ``QUIET`` seconds not again if that has failed. Whoever asks meanwhile gets
        what was kept before, or is refused at once: a provider that does not answer must not take the service's threads. Raises
        RefusalError ``provider-unreachable``.
        """
        kept, now = self._kept, time.monotonic()
        if kept is not None and now - kept[0] < KEEPS and not anew:
            return kept[1], kept[2]
        if now < self._quiet_until or not self._lock.acquire(blocking=False):
            if kept is not None:
                return kept[1], kept[2]
            raise refusal("provider-unreachable", self.settings.issuer, headers={"Retry-After": "5"})
        try:
            return self._fetched()
        finally:
            self._lock.release()

    def _fetched(self) -> tuple[dict[str, Any], KeySet]:
        issuer = self.settings.issuer
        try:
            described = json.loads(_get(issuer.rstrip("/") + "/.well-known/openid-configuration"))
            if described["issuer"] != issuer:
                raise ValueError("another issuer")
            keys = KeySet.import_key_set(json.loads(_get(described["jwks_uri"])))
        except (OSError, HTTPException, ValueError, KeyError, TypeError, JoseError) as error:
            self._quiet_until = time.monotonic() + QUIET
            raise refusal("provider-unreachable", issuer, headers={"Retry-After": "30"}) from error
        self._kept = (time.monotonic(), described, keys)
        return described, keys


def refused(why: str) -> Exception:
    """Return the refusal of a sign-in that did not go as it should."""
    return refusal("single-sign-on-refused", why)


def _fits(claims: Mapping[str, Any], mapping: OidcMapping) -> bool:
    value = claims.get(mapping.claim)
    return mapping.value in value if isinstance(value, list) else value == mapping.value


@dataclass(frozen=True, slots=True)
class _Answer:
    status_code: int
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ValueError(f"HTTP {self.status_code}")


class _Http:
    """The one request that Authlib's client makes here, with the standard library."""

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Answer:
        body = urllib.parse.urlencode(data)
        url, changed, body = auth.prepare("POST", url, dict(headers), body)
        request = urllib.request.Request(_checked(url), body.encode(), changed, method="POST")  # noqa: S310  (checked)
        try:
            with _OPENER.open(request, timeout=PATIENCE) as answer:
                return _Answer(answer.status, answer.read(LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, error.read(LARGEST))
        except (OSError, HTTPException) as error:
            raise refusal("provider-unreachable", url, headers={"Retry-After": "30"}) from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a code or secret must not follow."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow no redirect."""
        return


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _get(url: str) -> bytes:
    with _OPENER.open(_checked(url), timeout=PATIENCE) as answer:
        content: bytes = answer.read(LARGEST)
        return content


def _checked(url: str) -> str:
    """Return an https address, or http to this machine. Raises ValueError."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise ValueError("the provider needs https")
    return url
