"""Giving receipts: when an enterprise or an inspector may have one, and what is handed out (docs/protocol.md §14)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dualrandom.campaign.folder import Campaign, StateError
from dualrandom.campaign.publishing import full_result, published_changes
from dualrandom.campaign.state import state_of_folder
from dualrandom.canonical import canonical
from dualrandom.ceremony import Phase
from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.page.receipt import receipt_page
from dualrandom.receipt import ReceiptLists, enterprise_receipt, inspector_receipt
from dualrandom.verify.receipt import judge_receipt
from dualrandom.verify.report import Check

FOLDER = "receipts"
"""Where receipts are kept under ``private/`` unless another place is named."""
_LISTS = ("frame", "roster", "recusals", "strata", "cutoffs")


@dataclass(frozen=True, slots=True)
class Given:
    """A receipt as it is handed out: the file, a page for people, and what the check `receipt` says of it."""

    draw: str
    kind: str
    subject: str
    data: bytes
    page: bytes
    sha256: str
    check: Check

    @property
    def name(self) -> str:
        """The file's name, without ending."""
        return f"{self.draw}-{self.subject}"


def give_receipt(
    folder: Path, *, enterprise: str | None = None, inspector: str | None = None, now: datetime
) -> Given:
    """Return the receipt of an enterprise id, or of an inspector's code or roster id; exactly one of them.

    Raises StateError (``not-announced``, ``draw-is-void``, ``not-drawn``, ``receipt-too-early``, ``private-file-missing``)
    or DualRandomError (``receipt-for-whom``, ``not-in-frame``, ``not-in-roster``).
    """
    if (enterprise is None) == (inspector is None):
        raise _for_whom()
    campaign = Campaign(folder)
    ceremony = state_of_folder(folder).announced()
    if ceremony.phase is Phase.VOID:
        raise _void(ceremony.draw_id)
    data = (campaign.public / "announcement.json").read_bytes()
    announcement = json.loads(data)
    digest = suite_digest(announcement["suite"])
    digest_hex = hash_hex(data, digest)
    lists = ReceiptLists(_rows(campaign), _openings(campaign, announcement), digest)
    if enterprise is not None:
        if lists.index("frame", enterprise) is not None:
            _require_due(campaign, announcement, enterprise, now)
        document = enterprise_receipt(announcement, digest_hex, lists, enterprise)
    else:
        assert inspector is not None
        document = inspector_receipt(announcement, digest_hex, lists, _roster_id(lists, inspector))
    receipt = canonical(document)
    public = {path.name: path.read_bytes() for path in campaign.public.iterdir() if path.is_file()}
    check = judge_receipt(public, receipt)
    result = public.get("result.json")
    seed = None if result is None else json.loads(result)["seed"]
    return Given(
        draw=announcement["draw"],
        kind=document["subject"]["kind"],
        subject=document["subject"]["id"],
        data=receipt,
        page=receipt_page(
            document, receipt, announcement, seed, check, lists.sizes(), json.loads(public["labels.json"])
        ),
        sha256=hashlib.sha256(receipt).hexdigest(),
        check=check,
    )


def _for_whom() -> DualRandomError:
    return DualRandomError(
        "receipt-for-whom",
        "",
        {"zh": "给谁的回执？", "en": "whose receipt?"},
        {
            "zh": "请给出 --enterprise 代码 或 --inspector 编号，二者之一。",
            "en": "Give either --enterprise ID or --inspector CODE.",
        },
    )


def _void(draw: str) -> StateError:
    return StateError(
        "draw-is-void",
        draw,
        {"zh": "该抽取已作废，没有可核对的结果", "en": "this draw is void: there is no result to check"},
        {"zh": "重新公告并抽取后再出具。", "en": "Give receipts of the draw that takes its place."},
    )


def _rows(campaign: Campaign) -> dict[str, list[bytes]]:
    paths = {name: campaign.public / f"{name}.jsonl" for name in _LISTS}
    return {name: path.read_bytes().splitlines() for name, path in paths.items() if path.exists()}


def _openings(campaign: Campaign, announcement: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
    """Return list → row id → opening; none in an open draw. Raises StateError if one of the files is missing."""
    if announcement["disclosure"] == "open":
        return {}
    found: dict[str, dict[str, bytes]] = {}
    for name in _LISTS:
        path = campaign.private / "openings" / f"{name}.jsonl"
        if path.exists():
            # behind the row's own id stand only the list and the salt
            rows = path.read_bytes().splitlines()
            found[name] = {row.rpartition(b'"id":"')[2].partition(b'"')[0].decode(): row for row in rows}
        elif (campaign.public / f"{name}.jsonl").exists():
            raise StateError(
                "private-file-missing",
                str(path),
                {"zh": f"缺少 {path}", "en": f"{path} is missing"},
                {"zh": "从备份恢复 private/。", "en": "Restore private/ from its backup."},
            )
    return found


def _roster_id(lists: ReceiptLists, code: str) -> str:
    """Return the roster id of a person's code; the code itself where the roster shows codes, or nobody has it."""
    for row_id, opening in lists.opened("roster").items():
        if json.loads(opening)["hidden"]["person"] == code:
            return row_id
    return code


def _require_due(campaign: Campaign, announcement: Mapping[str, Any], enterprise: str, now: datetime) -> None:
    """Refuse a receipt whose salt would still tell its enterprise a visit to come, or that there is none."""
    if state_of_folder(campaign.folder).phase < Phase.PUBLISHED:
        raise StateError(
            "not-drawn",
            announcement["draw"],
            {
                "zh": "尚未抽取：此时给出盐，企业在种子公布时就能先算出自己的签号和日期",
                "en": "not drawn yet: with its salt the enterprise could compute ticket and dates once the seed is out",
            },
            {
                "zh": "抽取并检查完毕后再出具。",
                "en": "Give it after the draw, and after the enterprise's last visit.",
            },
        )
    if announcement["disclosure"] == "open" and announcement["policy"]["embargo"] == "none":
        return
    today = now.astimezone(ZoneInfo(announcement["timezone"])).date()
    last = date.fromisoformat(announcement["days"][-1])
    full = full_result(campaign)
    added = [row for row in published_changes(campaign) if row["type"] == "substitute"]
    visits = [
        visit
        for visit in (*full["visits"], *(visit for row in added for visit in row["visits"]))
        if visit["enterprise"] == enterprise
    ]
    policy = announcement["policy"]
    if visits:
        # a visit without a date may be given one by nobody, but its absence is told by the period's end only
        due = max(date.fromisoformat(visit["date"]) if visit["date"] else last for visit in visits)
        why = (
            "盐能算出检查日期，须在该企业最后一次检查之后",
            "the salt foretells the visit, so it is given after the last one",
        )
    elif policy["substitution"] == "next":
        due = last
        why = (
            "递补规则为 next，盐能算出谁将递补，须在本期结束之后",
            "with substitution next the salt tells who takes a place that becomes free",
        )
    elif policy["embargo"] == "visits":
        due = last
        why = (
            "检查名单仍在保密期，回执会透露没有检查",
            "the list of visits is under an embargo: a receipt would tell that there is none",
        )
    else:
        return
    if today > due:
        return
    raise StateError(
        "receipt-too-early",
        enterprise,
        {
            "zh": f"还不能出具 {enterprise} 的回执：{why[0]}",
            "en": f"too early for the receipt of {enterprise}: {why[1]}",
        },
        # the day itself would be the foretelling
        {
            "zh": f"最迟 {last} 之后可以出具。",
            "en": f"After {last} at the latest it can be given.",
        },
    )
