"""Lies about the terms of a draw and the form of what is beside it: rules of §1–3, 9 and 10 that no other lie breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lies import OPEN, PARTS, RELIEF, SEALED, Json, change, edit, lie, value  # type: ignore[import-not-found]


def term(
    name: str, about: str, tell: Callable[[Json], Any], base: str = OPEN, fails: str = "announcement"
) -> None:
    """One term of the announcement is another; the draw follows it."""

    def told(_built: Any, document: Json) -> None:
        tell(document)

    lie(name, base, fails, about, {"announcement": told})


term(
    "period-backwards",
    "期间的开始晚于结束 · a period that ends before it starts",
    lambda a: a["period"].update(end="2023-08-31"),
)
term(
    "result-due-before-the-round",
    "结果期限早于信标 · the result is due before the round",
    lambda a: a["deadlines"].update(result="2023-08-23T15:59:23Z"),
)
term(
    "findings-due-before-the-result",
    "检查结果期限早于结果 · findings are due before the result",
    lambda a: a["deadlines"].update(findings=a["beacon"]["time"]),
)
term("voids-names-itself", "voids 含自身 · voids names this draw", lambda a: a.update(voids=[a["draw"]]))
term(
    "twin-profiles",
    "两个档型相同 · two profiles are the same",
    lambda a: a["profiles"].append(a["profiles"][-1] | {"id": "p9999"}),
)
term(
    "profile-of-no-task",
    "档型的任务不存在 · a profile names a task that does not exist",
    lambda a: a["profiles"].append({"id": "p9999", "strata": {"t9": "A"}}),
)
term(
    "follower-in-a-stratum",
    "跟随任务应为 all · a follower in a stratum of its own",
    lambda a: a["profiles"].append({"id": "p9999", "strata": {"t1": "A", "t3f": "A"}}),
)
term(
    "relief-for-nobody",
    "没有任务的部门 · a relief step of a department without a task",
    lambda a: a["policy"]["relief"].append({"amount": 0, "department": "zoo", "kind": "lend"}),
    RELIEF,
)
term(
    "relief-of-nothing",
    "增量为零 · a relief step that adds nothing",
    lambda a: a["policy"]["relief"].append({"amount": 0, "department": "amr", "kind": "daily"}),
    RELIEF,
)
term(
    "no-hours-at-all",
    "工时上限为零 · a visit of no hours",
    lambda a: a["policy"]["visit_limit"].update(hours="0/1"),
    PARTS,
)
term(
    "no-checks-at-all",
    "检查项上限为零 · a visit of no checks",
    lambda a: a["policy"]["visit_limit"].update(checks=0),
    PARTS,
    "canonical",
)
term(
    "local-from-somewhere",
    "本机随机却有来源 · local randomness with a source",
    lambda a: a["beacon"].update(source="lottery"),
    RELIEF,
)
term(
    "id-out-of-pattern",
    "标识不合规 · an id out of pattern",
    lambda a: a.update(plan="2023 09"),
    fails="canonical",
)
term(
    "party-twice",
    "一方承诺两次 · a party commits twice",
    lambda a: a["contributions"].insert(0, a["contributions"][0]),
    fails="canonical",
)
term(
    "item-twice",
    "事项重复 · an item twice",
    lambda a: a["tasks"][0]["items"].append(a["tasks"][0]["items"][0]),
    fails="canonical",
)
value(
    "task-without-items",
    OPEN,
    "announcement.json",
    "announcement",
    "任务没有事项 · a task without items",
    lambda a: a["tasks"][2].update(items=[]),
)
term(
    "days-out-of-order",
    "日期未排序 · days out of order",
    lambda a: a["days"].reverse(),
    fails="canonical",
)
term(
    "version-unknown",
    "类型不明 · an unknown version",
    lambda a: a.update(type="dualrandom/v2/announcement"),
    fails="canonical",
)
term("suite-unknown", "算法套件不明 · an unknown suite", lambda a: a.update(suite="md5"), fails="canonical")
term(
    "auditor-of-an-open-draw",
    "公开抽取有审计方 · an auditor of an open draw",
    lambda a: a.update(auditor={"key": "A" * 43 + "=", "name": "x"}),
    fails="canonical",
)
term(
    "no-auditor",
    "密封抽取没有审计方 · a sealed draw without an auditor",
    lambda a: a.update(auditor=None),
    SEALED,
    "canonical",
)
term(
    "quotas-of-a-sealed-draw",
    "密封抽取公布了配额 · a sealed draw shows its quotas",
    lambda a: a["tasks"][0].update(strata=[]),
    SEALED,
    "canonical",
)


def closed(_built: Any, frame: Json) -> None:
    frame["E03"]["closed"] = ["2023-10-01"]


lie(
    "closed-outside-the-days",
    OPEN,
    "canonical",
    "歇业日不在检查日之内 · a closed day that is none of the days",
    {"frame": closed},
)


def backwards(case: Any) -> dict[str, Any]:
    pair = ["a1", "a3", "colleagues"]
    return {"recusals": [["a3", "a1", "colleagues"] if one == pair else one for one in case.recusals]}


change(
    "recusal-the-wrong-way-round",
    OPEN,
    "lists",
    "两人次序颠倒 · two colleagues in the wrong order",
    backwards,
)
value(
    "cutoffs-of-an-open-draw",
    OPEN,
    "result.json",
    "canonical",
    "公开抽取承诺了分界 · cut-offs of an open draw are committed to",
    lambda d: d.update(cutoffs={"root": "0" * 64, "size": 0}),
)
value(
    "embargo-without-one",
    OPEN,
    "result.json",
    "canonical",
    "没有保密期却有保密列表 · an embargoed list without an embargo",
    lambda d: d.update(embargoed={"root": "0" * 64, "size": 0}),
)
value(
    "task-without-a-selection",
    OPEN,
    "result.json",
    "selection",
    "漏掉一个任务的抽取 · a task's selection is missing",
    lambda d: d["selection"].pop(),
)
for document in ("statistics", "labels"):
    value(
        f"{document}-of-another-announcement",
        OPEN,
        f"{document}.json",
        "result",
        "属于另一公告 · of another announcement",
        lambda d: d.update(announcement="0" * 64),
    )
value(
    "label-in-one-language",
    OPEN,
    "labels.json",
    "canonical",
    "名称缺一种语言 · a name in one language only",
    lambda d: d["tasks"]["t1"].pop("en"),
)
value(
    "void-with-a-remark",
    "open-voided",
    "void.json",
    "canonical",
    "作废文书有多余的键 · a void with an unknown key",
    lambda d: d.update(remark=""),
)
value(
    "void-at-no-instant",
    "open-voided",
    "void.json",
    "canonical",
    "作废时刻不合规 · a void at no instant",
    lambda d: d.update(time="2023-08-23 15:00"),
)
edit(
    "opening-twice",
    "sealed-embargo-crews",
    "openings.jsonl",
    "canonical",
    "启封重复 · an opening stands twice",
    lambda data: data.splitlines(keepends=True)[0] + data,
)
edit(
    "opening-of-no-list",
    "sealed-embargo-crews",
    "openings.jsonl",
    "lists",
    "启封的列表不存在 · an opening of a list that does not exist",
    lambda data: data.replace(b'"list":"visits"', b'"list":"wishes"'),
)
edit(
    "seed-with-another-head",
    OPEN,
    "seed.txt",
    "seed",
    "种子文书的首行不对 · another first line of the seed's statement",
    lambda data: data.replace(b"dualrandom/v1/seed", b"dualrandom/v2/seed"),
)
for order, name, about in (
    ("cells", "strata-out-of-order", "密封的层次序不对 · sealed strata in another order"),
    ("pairs", "recusals-out-of-order", "密封的回避次序不对 · sealed recusals in another order"),
):
    lie(name, SEALED, "lists", about, {order: lambda _built, rows: rows[::-1]}, auditor=True)
