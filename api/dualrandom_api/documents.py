"""The documents of a draw's folder and the log beside them: file, media type, whether they can change (docs/protocol.md §10, §11)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
HTML: Final = "text/html; charset=utf-8"
CSV: Final = "text/csv; charset=utf-8; header=present"


@dataclass(frozen=True, slots=True)
class Document:
    """One published file. ``settled``: once it is there, its bytes never change."""

    name: str
    file: str
    media_type: str
    settled: bool
    zh: str
    en: str


DOCUMENTS: Final = {
    document.name: document
    for document in (
        Document("announcement", "announcement.json", JSON, True, "抽取公告", "the announcement"),
        Document("beacon", "beacon.json", JSON, True, "随机信标的证据", "the beacon's evidence"),
        Document("seed", "seed.txt", TEXT, True, "种子的文本", "the seed's statement"),
        Document("result", "result.json", JSON, True, "抽取结果", "the result"),
        Document("ties", "ties.json", JSON, True, "并列方案的证据", "evidence of tied attempts"),
        Document("statistics", "statistics.json", JSON, True, "统计", "derived figures"),
        Document("labels", "labels.json", JSON, False, "名称对照", "names for readers"),
        Document("findings", "findings.json", JSON, False, "检查结果", "findings"),
        Document("attest", "attest.json", JSON, True, "审计证明", "the auditor's attestation"),
        Document("void", "void.json", JSON, True, "作废声明", "the statement that voids the draw"),
    )
}

LISTS: Final = {
    document.name: document
    for document in (
        Document("frame", "frame.jsonl", JSON_LINES, True, "抽样框", "the frame"),
        Document("roster", "roster.jsonl", JSON_LINES, True, "检查人员名录", "the roster"),
        Document("recusals", "recusals.jsonl", JSON_LINES, True, "回避名单", "the recusals"),
        Document("strata", "strata.jsonl", JSON_LINES, True, "层（封存）", "the strata, sealed"),
        Document("cutoffs", "cutoffs.jsonl", JSON_LINES, True, "界限（封存）", "the cutoffs, sealed"),
        Document("visits", "visits.jsonl", JSON_LINES, True, "缓公开的上门检查", "the embargoed visits"),
        Document("changes", "changes.jsonl", JSON_LINES, False, "抽取后的变更", "changes after the draw"),
        Document("openings", "openings.jsonl", JSON_LINES, False, "已开封的行", "the rows opened so far"),
    )
}

INDEX: Final = Document("index", "index.html", HTML, False, "给人看的页面", "the page for people")

FILES: Final = {document.file: document for document in (*DOCUMENTS.values(), *LISTS.values(), INDEX)}
"""By file name, for the page's own links."""

BESIDE: Final = (
    (re.compile(r"announced\.checkpoint"), TEXT, True),
    (re.compile(r"reveals/[0-9A-Za-z][0-9A-Za-z._-]{0,63}\.json"), JSON, True),
    (re.compile(r"log/checkpoint"), TEXT, False),
    (re.compile(r"log/(log\.vkey|keys/[0-9]{6}\.note)"), TEXT, True),
    (re.compile(r"log/tile/(entries|[0-9]{1,2})(/x[0-9]{3}){0,4}/[0-9]{3}(\.p/[0-9]{1,3})?"), BYTES, True),
    (re.compile(r"log/documents/[0-9a-f]{64}"), JSON, True),
)
"""Files without a name of their own in the interface: pattern of the whole path, media type, whether its bytes never change."""
