"""Lies about the result, what lies beside it, findings and how draws end."""

from __future__ import annotations

from collections.abc import Callable

from lies import (  # type: ignore[import-not-found]
    OPEN,
    SCARCE,
    SEALED,
    Json,
    edit,
    jcs,
    lie,
    remove,
    swap,
    value,
)

# --- result and what lies beside it

value(
    "wrong-cost",
    OPEN,
    "result.json",
    "result",
    "总成本不实 · a wrong total cost",
    lambda d: d["totals"].update(cost="1"),
)
value(
    "wrong-count",
    OPEN,
    "result.json",
    "result",
    "总数不实 · a wrong total",
    lambda d: d["totals"].update(checks=d["totals"]["checks"] + 1),
)
value(
    "result-of-another-announcement",
    OPEN,
    "result.json",
    "result",
    "结果属于另一公告 · the result of another announcement",
    lambda d: d.update(announcement="0" * 64),
)
value(
    "result-of-another-draw",
    OPEN,
    "result.json",
    "result",
    "结果属于另一抽取 · the result of another draw",
    lambda d: d.update(draw="test-2023-000002"),
)
remove("missing-labels", OPEN, "labels.json", "result", "没有名称表 · the labels are missing")
edit(
    "needless-ties",
    OPEN,
    "ties.json",
    "result",
    "无并列却有并列文件 · ties without a tie",
    lambda _: jcs({"announcement": "0" * 64, "attempts": [], "type": "dualrandom/v1/ties"}),
)
value(
    "flattering-statistics",
    OPEN,
    "statistics.json",
    "result",
    "统计虚报 · statistics that flatter",
    lambda d: d["tasks"][0].update(selected=9),
)
value(
    "flattering-overlap",
    OPEN,
    "statistics.json",
    "result",
    "虚报若分别抽取的企业数 · the saving by joint visits is flattered",
    lambda d: d["overlap"].update(independent="99.000000"),
)
value(
    "hidden-load",
    OPEN,
    "statistics.json",
    "result",
    "隐去一人的工作量 · somebody's load is hidden",
    lambda d: d["workload"].pop(),
)
value(
    "hidden-undated-visit",
    SCARCE,
    "statistics.json",
    "result",
    "统计隐去无日期的检查 · statistics hide an undated visit",
    lambda d: d.update(undated=[]),
)
value(
    "undated-told-under-embargo",
    "open-embargo-undated",
    "statistics.json",
    "result",
    "保密期内统计列出无日期的检查 · statistics list an undated visit under an embargo",
    lambda d: d.update(undated=[{"enterprise": "E05", "part": 1, "reason": "no-seatable-day"}]),
)
edit(
    "ties-under-embargo",
    "open-embargo-undated",
    "ties.json",
    "result",
    "保密期内公布了指名检查组的并列文件 · ties, which name crews, under an embargo",
    lambda _: jcs({"announcement": "0" * 64, "attempts": [], "type": "dualrandom/v1/ties"}),
)
value(
    "false-shares-of-districts",
    SEALED,
    "statistics.json",
    "result",
    "统计中区划户数不实 · false counts of a district",
    lambda d: d["frame"]["districts"][0].update(count=1),
    auditor=True,
)
value(
    "shares-of-more-than-the-frame",
    SEALED,
    "statistics.json",
    "result",
    "各区划户数合计超过抽样框 · counts of the districts add up to more than the frame, seen by everybody",
    lambda d: d["frame"]["districts"][0].update(count=99),
)
value(
    "name-before-the-draw",
    "open-announced",
    "labels.json",
    "result",
    "抽取前名称表已有企业 · labels name an enterprise before the draw",
    lambda d: d["enterprises"].update(E05={"en": "Name", "zh": "名称"}),
)
value(
    "leaked-name",
    "open-embargo-visits",
    "labels.json",
    "result",
    "名称表泄露保密企业 · labels name an embargoed enterprise",
    lambda d: d["enterprises"].update(E05={"en": "Name", "zh": "名称"}),
)
value(
    "leaked-inspector",
    SEALED,
    "labels.json",
    "result",
    "密封抽取泄露人员姓名 · labels name an inspector of a sealed draw",
    lambda d: d["inspectors"].update(a1={"en": "Name", "zh": "名称"}),
)
lie(
    "embargoed-visit-differs",
    "sealed-embargo-crews",
    "result",
    "密封的检查与公开的不同 · the sealed visit is not the published one",
    {"embargoed": lambda _, rows: rows["v00001"].update(district="d9")},
)
value(
    "wrong-count-under-embargo",
    "open-embargo-visits",
    "result.json",
    "result",
    "保密期内总数不实 · a wrong total under an embargo",
    lambda d: d["totals"].update(visits=99),
)
value(
    "visits-shown-under-embargo",
    "open-embargo-visits",
    "result.json",
    "canonical",
    "保密期内公布了检查 · visits shown under an embargo",
    lambda d: d.update(visits=[]),
)

# --- findings and draws


def finding(number: int, **fields: Json) -> Callable[[Json], None]:
    return lambda document: document["findings"][number].update(fields)


value(
    "finding-without-a-visit",
    OPEN,
    "findings.json",
    "findings",
    "没有该次检查 · a finding of no visit",
    finding(2, part=2),
)
value(
    "unknown-finding-code",
    OPEN,
    "findings.json",
    "findings",
    "未知的结果代码 · an unknown code",
    finding(0, code="Z"),
)
value(
    "unknown-method",
    OPEN,
    "findings.json",
    "findings",
    "未知的检查方法 · an unknown method",
    finding(0, method="telepathy"),
)
value(
    "skipped-revision",
    OPEN,
    "findings.json",
    "findings",
    "更正版次不连续 · a revision was skipped",
    finding(1, revision=3),
)
value(
    "correction-without-reason",
    OPEN,
    "findings.json",
    "findings",
    "更正没有理由 · a correction without a reason",
    finding(1, reason=None),
)
value(
    "overwritten-finding",
    OPEN,
    "findings.json",
    "findings",
    "首版被覆盖 · the first revision was overwritten",
    lambda d: d["findings"].pop(0),
)
value(
    "findings-of-another-draw",
    OPEN,
    "findings.json",
    "findings",
    "属于另一公告 · findings of another announcement",
    lambda d: d.update(announcement="0" * 64),
)
value(
    "finding-of-another-item",
    OPEN,
    "findings.json",
    "findings",
    "未检查的事项 · an item that was not checked",
    finding(2, item="i9"),
)
edit(
    "result-and-void",
    OPEN,
    "void.json",
    "draws",
    "既有结果又作废 · both a result and a void",
    lambda _: jcs(
        {
            "announcement": "0" * 64,
            "draw": "test-2023-000001",
            "reason": "?",
            "time": "2023-08-23T15:00:00Z",
            "type": "dualrandom/v1/void",
        }
    ),
)
value(
    "void-of-another-announcement",
    "open-voided",
    "void.json",
    "draws",
    "作废的是另一公告 · a void of another announcement",
    lambda d: d.update(announcement="0" * 64),
)
remove(
    "forgotten-void",
    "open-drawn-after-void",
    "voided/test-2023-000001/void.json",
    "draws",
    "作废文件缺失 · the void is missing",
)
lie(
    "unnamed-void",
    "open-drawn-after-void",
    "draws",
    "未列出已作废的抽取 · a voided draw is not named",
    {"announcement": lambda _, a: a.update(voids=[])},
)
edit(
    "list-of-a-voided-draw-changed",
    "open-drawn-after-void",
    "voided/test-2023-000001/roster.jsonl",
    "draws",
    "作废抽取的名录被改动 · a list of the voided draw was changed",
    swap('"daily":2', '"daily":3'),
)
lie(
    "void-of-another-plan",
    "open-drawn-after-void",
    "draws",
    "作废的是另一计划 · the voided draw is of another plan",
    {"announcement": lambda _, a: a.update(plan="2023-10")},
)
value(
    "replaced-void",
    "open-drawn-after-void",
    "voided/test-2023-000001/announcement.json",
    "draws",
    "作废公告被改动 · the voided announcement was changed",
    lambda d: d["software"].update(version="2"),
)
