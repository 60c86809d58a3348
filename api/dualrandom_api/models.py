"""The answers that are made here, not read from the record: lists of draws and documents, and reports."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Text(BaseModel):
    """One text in both languages."""

    model_config = ConfigDict(extra="forbid")

    en: str
    zh: str


class DrawSummary(BaseModel):
    """One draw and where to find it."""

    model_config = ConfigDict(extra="forbid")

    draw: str = Field(examples=["ezhou-2023-000001"])
    state: Literal["announced", "drawn", "void"]
    announcement: str = Field(description="SHA-256 of announcement.json", examples=["9f86d0…"])
    url: str = Field(examples=["/v1/draws/ezhou-2023-000001"])


class Draws(BaseModel):
    """All draws of the record, the current one first."""

    model_config = ConfigDict(extra="forbid")

    draws: list[DrawSummary]


class DocumentSummary(BaseModel):
    """One published document: byte for byte what its URL gives."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["result"])
    file: str = Field(examples=["result.json"])
    title: Text
    media_type: str = Field(examples=["application/json"])
    size: int = Field(description="bytes", ge=0)
    sha256: str
    settled: bool = Field(description="once published, its bytes never change")
    url: str = Field(examples=["/v1/draws/ezhou-2023-000001/result"])


class DrawDetail(DrawSummary):
    """One draw with its documents and lists."""

    documents: list[DocumentSummary]
    lists: list[DocumentSummary]


class CheckResult(BaseModel):
    """One check of the verifier."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["selection"])
    status: Literal["PASS", "FAIL", "NOT CHECKED"]
    reason: Text


class VerificationReport(BaseModel):
    """The verifier's report on one draw, made by this server: run the verifier yourself to rely on it."""

    model_config = ConfigDict(extra="forbid")

    draw: str
    verdict: Literal["PASS", "FAIL", "NOT CHECKED"]
    digest: str = Field(description="SHA-256 over names and digests of all files that were checked")
    checks: list[CheckResult]


class Health(BaseModel):
    """Whether the record can be read."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok"]
    draws: int
