"""Lies at the edges of rules: keys, copies in the log, order in documents nobody sums up, what is missing or too much (docs/protocol.md)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cases  # type: ignore[import-not-found]
import logged  # type: ignore[import-not-found]
import reference  # type: ignore[import-not-found]
import reference_changes as changed  # type: ignore[import-not-found]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lies import OPEN, SEALED, Files, Json, add, change, gather, jcs, lie, remove, value  # type: ignore[import-not-found]
from lies_about_the_log import key_tale, tale  # type: ignore[import-not-found]
from lies_after_the_draw import first, tell  # type: ignore[import-not-found]

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of Ed25519's group."""

# --- keys and signatures (§4)


def signed(name: str, about: str, forge: Callable[[str, Json], Json]) -> None:
    """Another key or signature of the first party."""

    def forged(document: Json) -> None:
        one = document["contributions"][0]
        party, commitment = one["party"], one["commitment"]
        text = f"dualrandom/v1/contribution\n{document['draw']} {party} {commitment}\n"
        one.update({key: base64.b64encode(data).decode() for key, data in forge(text, one).items()})

    value(name, OPEN, "announcement.json", "signatures", about, forged)


NEUTRAL = bytes([1]) + bytes(31)
ORDER_TWO = (2**255 - 20).to_bytes(32, "little")
signed(
    "party-key-of-small-order",
    "小阶公钥，任何文书都验得过 · a key of small order, under which one signature is of every statement",
    lambda text, one: {"key": NEUTRAL, "signature": NEUTRAL + bytes(32)},
)


def with_a_large_scalar(text: str, one: Json) -> Json:
    signature = base64.b64decode(one["signature"])
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return {"signature": signature[:32] + scalar.to_bytes(32, "little")}


signed("signature-with-a-large-scalar", "S 不小于 L · S is not below L", with_a_large_scalar)


def with_a_cofactor(text: str, one: Json) -> Json:
    """R is the point of order two: the equation holds only when both sides are multiplied by eight."""
    seed = hashlib.sha256(one["party"].encode()).digest()
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    low = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    scalar = (low & ~7 & (2**254 - 1)) | 2**254
    h = int.from_bytes(hashlib.sha512(ORDER_TWO + public + text.encode()).digest(), "little") % ORDER
    return {"signature": ORDER_TWO + (h * scalar % ORDER).to_bytes(32, "little")}


signed(
    "signature-that-needs-the-cofactor",
    "只在乘以余因子后成立 · it holds only with the cofactor",
    with_a_cofactor,
)

# --- ids in two spellings (§1)


def twin(name: str, about: str, change_document: Callable[[Json], Any], base: str = OPEN) -> None:
    value(name, base, "announcement.json", "lists", about, change_document)


twin(
    "marks-in-two-spellings",
    "资格仅大小写不同 · marks that differ in letter case",
    lambda d: d["tasks"][0]["items"][0].update(marks=["LEADER"]),
)
twin(
    "groups-in-two-spellings",
    "组仅大小写不同 · groups that differ in letter case",
    lambda d: d["tasks"][0]["strata"][0].update(group=d["tasks"][0]["strata"][1]["group"].swapcase()),
)
twin(
    "strata-in-two-spellings",
    "层仅大小写不同 · strata that differ in letter case",
    lambda d: d["tasks"][0]["strata"][-1].update(id=d["tasks"][0]["strata"][0]["id"].lower()),
)

# --- forms (§1, 3, 9, 10)

value(
    "draw-number-zero",
    OPEN,
    "announcement.json",
    "canonical",
    "编号自 000001 起 · numbers begin with 000001",
    lambda d: d.update(draw="test-2023-000000"),
)
value(
    "ratio-of-101-digits",
    OPEN,
    "announcement.json",
    "canonical",
    "分数超过 100 位 · a ratio of more than 100 digits",
    lambda d: d["tasks"][0]["items"][0].update(hours="1" * 101 + "/1"),
)
value(
    "instant-at-24-hours",
    OPEN,
    "announcement.json",
    "canonical",
    "没有 24 时 · no day has a 24th hour",
    lambda d: d["deadlines"].update(findings="2023-10-31T24:00:00Z"),
)
value(
    "empty-profile",
    OPEN,
    "announcement.json",
    "announcement",
    "档型不在任何层 · a profile in no stratum",
    lambda d: d["profiles"][0].update(strata={}),
)
value(
    "tickets-of-a-follower",
    SEALED,
    "result.json",
    "canonical",
    "联合任务没有签号 · a follower has no tickets",
    lambda d: next(s for s in d["selection"] if s["tickets"] is None).update(tickets=[]),
)
value(
    "a-price-of-nothing",
    "open-scarce-local",
    "result.json",
    "canonical",
    "价格全为零者不列 · whose prices are all zero is left out",
    lambda d: d["prices"].append({"days": {}, "inspector": "z9", "period": "0"}),
)


def twice(districts: list[Json]) -> None:
    """The first district in two rows, so that the sum stays."""
    count = districts[0]["count"]
    districts[:1] = [districts[0] | {"count": n} for n in (1, count - 1)]


FIGURES = "statistics.json"
value(
    "districts-backwards",
    SEALED,
    FIGURES,
    "canonical",
    "区划倒序 · districts in another order",
    lambda d: d["frame"]["districts"].reverse(),
)
value(
    "district-twice",
    SEALED,
    FIGURES,
    "canonical",
    "区划出现两次 · a district twice",
    lambda d: twice(d["frame"]["districts"]),
)
value(
    "workload-backwards",
    SEALED,
    FIGURES,
    "canonical",
    "工作量倒序 · the workload in another order",
    lambda d: d["workload"].reverse(),
)
value(
    "two-findings-alike",
    OPEN,
    "findings.json",
    "canonical",
    "同一结果两次 · a finding twice",
    lambda d: d["findings"].append(d["findings"][-1]),
)

# --- what is missing, or too much (§12.1)

remove("missing-seed", OPEN, "seed.txt", "seed", "缺种子文书 · the seed's statement is missing")
remove("missing-beacon", OPEN, "beacon.json", "beacon", "缺信标 · the beacon is missing")
remove("missing-statistics", OPEN, FIGURES, "result", "缺统计 · statistics are missing")
remove("missing-cutoffs", SEALED, "cutoffs.jsonl", "lists", "缺末位签号 · the list of cutoffs is missing")
value(
    "key-string-beside-a-signature",
    OPEN,
    "beacon.json",
    "beacon",
    "既有签名又有号码 · a key string beside a signature",
    lambda d: d.update(keystring="1.2.3./"),
)


def in_the_voided_folder(files: Files, _build: Any) -> Files:
    return files | {"public/voided/test-2023-000001/result.json": files["public/result.json"]}


add(
    "result-in-the-voided-folder",
    "open-drawn-after-void",
    "draws",
    "作废的抽取竟有结果 · a result of the voided draw",
    in_the_voided_folder,
)


def later_void(_case: Any) -> Json:
    """A draw names one of a later number as voided before it, and has its documents."""

    def beside(built: Any) -> dict[str, bytes]:
        case = replace(built.case, draw="test-2023-000003", announcement={}, beside=None)
        later = type(built)(case, {})
        later.announce()
        later.publish_labels([])
        later.public |= cases.voided(later)
        return {f"voided/{later.draw}/{name}": data for name, data in later.public.items()}

    return {"announcement": {"voids": ["test-2023-000003"]}, "beside": beside}


change(
    "later-void-with-its-documents",
    "open-drawn-after-void",
    "draws",
    "所列作废在本次之后 · the voided draw came later",
    later_void,
)

# --- sealed lists (§2)


def with_a_gap(record: Any, pairs: Json) -> Json:
    """The second number is left out when the list is written; everything follows honestly from it."""
    publish = record.publish

    def published(name: str, rows: Any) -> Any:
        if name == "recusals":
            rows = {key if key == "r000001" else f"r{int(key[1:]) + 1:06d}": row for key, row in rows.items()}
        return publish(name, rows)

    record.publish = published
    return [list(pair) for pair in pairs]


lie(
    "recusals-numbered-with-a-gap",
    SEALED,
    "lists",
    "回避编号有缺 · a number of the recusals is left out",
    {"pairs": with_a_gap},
)
lie(
    "sealed-pair-twice",
    SEALED,
    "lists",
    "同一回避两行 · a recusal in two rows",
    {"pairs": lambda _, pairs: [pairs[0], *pairs]},
    auditor=True,
)


def not_all(_: Any, frame: Json) -> None:
    """A firm joins a follower in a stratum of its own."""
    next(row for row in frame.values() if row["strata"].get("t3f") == "all")["strata"]["t3f"] = "some"


lie(
    "sealed-follower-not-all",
    SEALED,
    "lists",
    "联合任务只有 all 层 · a follower has the stratum all and no other",
    {"frame": not_all},
    auditor=True,
)


def closed(_: Any, visits: Json) -> None:
    """A visit is moved to a day on which its enterprise is closed."""
    firms = cases.base()["frame"]
    visit = next(v for v in visits if v["date"] and firms[v["enterprise"]]["closed"])
    visit["date"] = firms[visit["enterprise"]]["closed"][0]


lie(
    "optimised-onto-a-closed-day",
    "open-optimised",
    "dates",
    "优化到歇业日 · optimised to a day on which it is closed",
    {"dates": closed},
)

# --- attempts (§8.5)


def second_attempt(*numbers: int) -> Callable[..., Files]:
    """A record drawn by the tickets of the second attempt, with the plan of the first as evidence of ties in these attempts."""

    def tell_it(files: Files, _build: Any) -> Files:
        first_one = json.loads(files["public/result.json"])
        crews = [
            {key: visit[key] for key in ("enterprise", "part")}
            | {key: crew[key] for key in ("department", "seats")}
            for visit in first_one["visits"]
            for crew in visit["crews"]
        ]

        def other_tickets(record: Any, visits: Json) -> Json:
            plain = record.ticket
            record.ticket = lambda stage, name: plain("pair.1" if stage == "pair" else stage, name)
            return visits

        lies = {"dates": other_tickets, "result": lambda _, result: result | {"attempt": 1}}
        built = reference.build(cases.cases(reference)[OPEN], lies)
        attempts = [{"attempt": n, "crews": crews, "prices": first_one["prices"]} for n in numbers]
        ties = {"announcement": built.digest, "attempts": attempts, "type": "dualrandom/v1/ties"}
        made: Files = gather(built) | {"public/ties.json": jcs(ties)}
        return made

    return tell_it


add(
    "untied-attempt",
    OPEN,
    "prices",
    "前一次并无并列，却另作一次 · another attempt, though the first was not tied",
    second_attempt(0),
)
add(
    "attempts-not-counted-from-0",
    OPEN,
    "prices",
    "次数应自 0 起 · attempts count from 0",
    second_attempt(1),
)

# --- substitutes (§13.2)

tell(
    "substitute-visits-swapped",
    "open-changed",
    "递补的次序不对 · the visits in another order",
    substituted=lambda _, row: row | {"visits": row["visits"][::-1]},
)


def renamed(found: Any, row: Json) -> Json:
    return row | {"names": dict.fromkeys(sorted(found.built.frame)[: len(row["names"])], changed.NAMES)}


tell(
    "name-of-another-enterprise",
    "open-changed",
    "名称属于别的企业 · the name of another enterprise",
    substituted=first(renamed),
)

# --- the log (§11)


def by_the_former_key(story: Any) -> None:
    logged.Story.afterwards(story)
    story.book.signer = logged.LOG


key_tale(
    "checkpoint-by-the-former-key",
    "log",
    "交接后仍用旧密钥签署 · signed with a key that was handed over",
    afterwards=by_the_former_key,
)


def to_another_name(story: Any) -> None:
    """The new key has the name of another log."""
    book, name = story.book, "else.example/log"
    keys = [logged.vkey(logged.ORIGIN, 1, logged.LOG), logged.vkey(name, 1, logged.SUCCESSOR)]
    text = "\n".join(["dualrandom/v1/rotation", logged.ORIGIN, *keys, "2023-08-23T07:00:00Z"]) + "\n"
    own = logged.note(text, [logged.LOG])
    book.notes.append(own + logged.line(name, 1, logged.SUCCESSOR, logged.SUCCESSOR.sign(text.encode())))


key_tale(
    "rotation-to-another-name",
    "log",
    "交接给另一名称的密钥 · handed over to a key of another name",
    rotate=to_another_name,
    revoke=lambda story: None,
)


def number_zero(story: Any) -> None:
    """Another authority's first draw has no number."""
    other = logged.another(story.built, authority="else", draw="else-2023-000000")
    story.book.add("ANNOUNCE", "else-2023-000000", other)


tale("entry-numbered-zero", "log", "登记的编号为零 · a draw of no number in the log", before=number_zero)
tale(
    "announcement-of-no-form",
    "log",
    "登记的公告不成其形式 · what is logged as an announcement is none",
    other=lambda story: logged.another(story.built, remark="-"),
)
tale(
    "announcement-logged-for-another-draw",
    "log",
    "登记在另一抽取之下 · an announcement logged under the id of another draw",
    other=lambda story: logged.another(story.built, draw="test-2023-000003"),
)
