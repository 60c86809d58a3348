"""The settings of the service: environment variables ``DUALRANDOM_*``, or arguments in tests."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dualrandom.relay import RELAYS
from dualrandom.store.database import WAIT_SECONDS
from dualrandom.store.jobs import LEASE
from dualrandom.store.tables import Role

MAILBOX: Final = r"^[0-9A-Za-z._+-]{1,64}@[0-9A-Za-z-]{1,63}(\.[0-9A-Za-z-]{1,63}){0,8}$"
"""Mailboxes that are taken: ASCII, without quotes."""


class OidcMapping(BaseModel):
    """Who gets which role: a claim, the value that it has or contains, and what follows."""

    claim: str
    value: str
    role: Role
    department: str | None = None


class OidcSettings(BaseModel):
    """An OpenID Connect provider. ``mappings`` are tried in order; nobody that none of them fits may enter."""

    issuer: str
    client_id: str
    client_secret: SecretStr
    scopes: str = "openid profile"
    username_claim: str = "preferred_username"
    name_claim: str = "name"
    inspector_claim: str = "inspector"
    mappings: list[OidcMapping] = Field(default_factory=list)


class PasswordSettings(BaseModel):
    """Work of one argon2id hash (RFC 9106 §4, second recommendation) and what a password has to be like."""

    time_cost: int = 3
    memory_kib: int = 65536
    parallelism: int = 4
    least_length: int = 12
    failures: int = 5
    """After so many wrong passwords in a row the account is locked …"""
    locked_minutes: int = 15
    """… for so long."""


class MailSettings(BaseModel):
    """The mail server that takes the service's mails, and how they are sent."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """``tls`` from the first byte (port 465); ``none`` only for a relay on the same machine or network, without a password."""
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """Certificates to trust besides the system's, of an office that has its own authority."""
    sender: Annotated[str, Field(pattern=MAILBOX)]
    """The mails' From, whose domain the Message-IDs end with."""
    timeout_seconds: float = 30
    every_seconds: float = 15
    """How often it is looked for new messages."""
    tries: int = 16
    """With 16 a mail is given up after some two days."""

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> Self:
        if self.security == "none" and self.password is not None:
            raise ValueError("a password is sent over TLS only: security must be starttls or tls")
        return self

    @property
    def domain(self) -> str:
        """The sender's domain."""
        return self.sender.rpartition("@")[2]


class KeepSettings(BaseModel):
    """How many days what has ended is kept; a job of the housekeeping deletes it then."""

    sign_ins: float = 7
    jobs: float = 90
    mails: float = 30


class Settings(BaseSettings):
    """What the operator decides. Lists and nested settings are JSON in the environment."""

    model_config = SettingsConfigDict(env_prefix="DUALRANDOM_", env_nested_delimiter="__", extra="ignore")

    data: Path = Path("dualrandom-data")
    """Folder of the SQLite database, of a service key made by ``service init``, and of temporary files."""
    database_url: str | None = None
    """``postgresql://…`` or ``sqlite:///…``; none: ``service.db`` in the data folder."""
    lock_seconds: Annotated[float, Field(gt=0, le=3600)] = WAIT_SECONDS
    """How long a change waits for another one before it is told to come again (503); accepting a very large import takes long."""
    service_key: SecretStr | None = None
    """32 bytes, base64; none: ``service.key`` in the data folder."""
    base_url: str = "http://127.0.0.1:8000"
    """How browsers reach the service; with https, cookies are Secure."""
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(default_factory=list)
    """Only from these is X-Forwarded-For believed."""

    session_hours: float = 12
    passwords: PasswordSettings = Field(default_factory=PasswordSettings)
    oidc: OidcSettings | None = None
    mail: MailSettings | None = None
    """None: messages are at /v1/messages only."""
    keep_days: KeepSettings = Field(default_factory=KeepSettings)

    public_per_minute: int = 1200
    """Requests to public routes from one address."""
    requests_per_minute: int = 6000
    """Requests to all other routes from one address."""
    sign_ins_per_minute: int = 20
    """Attempts to sign in, and codes tried, from one address, at all servers of the database together."""
    body_bytes: int = 1 << 20
    """The longest body of a request; uploads of libraries have ``upload_bytes``."""
    upload_bytes: int = 256 << 20

    approval_hours: float = 72
    """How long a second person may take to decide."""
    relays: list[str] = Field(default_factory=lambda: list(RELAYS))
    """Where rounds of drand are asked for, in order; none: they are brought as files."""
    repeat_hours: float = 24
    """How long the answer to a request with an Idempotency-Key is kept."""
    repeat_wait_seconds: float = 30
    """After this, a request whose server died may be tried again with its key."""

    runners: int = 3
    """Threads for jobs in this process, one of them for urgent jobs only; 0: none, other servers run them."""
    poll_seconds: float = 1.0
    """How often an idle runner looks for due jobs."""
    lease_seconds: float = LEASE.total_seconds()
    """How long a job stays with a runner that gives no sign of life."""
    document_cache_bytes: int = 64 << 20
    log_json: bool = True

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{(self.data / 'service.db').resolve()}"

    @property
    def approval_time(self) -> timedelta:
        """How long an approval can be given."""
        return timedelta(hours=self.approval_hours)

    @property
    def lease(self) -> timedelta:
        """The same as a time."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service over TLS."""
        return self.base_url.startswith("https://")
