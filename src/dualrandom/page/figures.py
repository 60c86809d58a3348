"""Statistics in tables and pictures: overlap, districts, workload (docs/protocol.md §10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from dualrandom.overlap import closeness
from dualrandom.page.documents import Documents
from dualrandom.page.markup import Both, Html, join, paragraph, row, table, tag
from dualrandom.page.words import percent
from dualrandom.reasons import FLAGS, REASONS

_BAR = 200
_BINS = 24
"""Bars of the histogram at most; wider ranges are grouped."""


def statistics(documents: Documents) -> Html:
    """Return the section of figures."""
    heading = tag("h2", Both("统计", "Statistics"), id="statistics")
    if documents.statistics is None and documents.void is not None:
        return tag(
            "section",
            heading,
            paragraph("本次抽取已作废，没有统计。", "This draw is void; it has no figures."),
        )
    if documents.statistics is None:
        return tag("section", heading, paragraph("抽取之后公布。", "Published after the draw."))
    figures = documents.statistics
    return tag(
        "section",
        heading,
        overlap(figures["overlap"], documents.result["totals"]["visits"]) if documents.result else None,
        _districts(documents, figures),
        _workload(figures),
        _excluded(figures),
        _flags(figures),
    )


def overlap(counts: Mapping[str, Any], visits: int) -> Html:
    """Say how many visits the shared tickets save; ``counts`` is ``overlap`` of ``statistics.json``."""
    saved = counts["alone"] - visits
    close = closeness(counts)
    return join(
        tag("h3", Both("合并上门", "Visits together")),
        paragraph(
            f"若每项任务单独上门，共需 {counts['alone']:,} 次；现在对 {counts['visited']:,} 家企业上门 {visits:,} 次，"
            f"少上门 {saved:,} 次。所有任务共用每家企业的同一个签号，所以在各自名额之内尽量抽中同一批企业。",
            f"Had each task come on its own, there would be {counts['alone']:,} visits; there are {visits:,}, to "
            f"{counts['visited']:,} enterprises: {saved:,} saved. All tasks share each enterprise's one ticket, so "
            "they draw the same enterprises as far as their quotas allow.",
        ),
        paragraph(
            f"若各任务独立抽取，预期检查 {_short(counts['independent'])} 家；在同样的概率下，"
            f"预期家数不可能低于 {_short(counts['least_possible'])} 家。",
            f"Independent draws would be expected to visit {_short(counts['independent'])} enterprises; "
            "with the same chances no method can be expected to visit "
            f"fewer than {_short(counts['least_possible'])}.",
            "note",
        ),
        None
        if close is None
        else paragraph(
            f"从独立抽取到理论最少，可以少检查的企业中，本次抽取做到了 {percent(close)}（100% 是平均意义上的极限，单次可略高）。",
            f"Of the enterprises that could be spared between independent draws and the least possible, this draw spared "
            f"{percent(close)} (100 % is the limit on average; a single draw may lie a little above).",
            "note",
        ),
    )


def _short(decimal: str) -> str:
    return f"{float(decimal):,.1f}"


def _districts(documents: Documents, figures: Mapping[str, Any]) -> Html:
    frame = {entry["district"]: entry["count"] for entry in figures["frame"]["districts"]}
    sample = {entry["district"]: entry["count"] for entry in figures["sample"]}
    if not sample:
        return Html("")
    whole, drawn = sum(frame.values()) or 1, sum(sample.values()) or 1
    shares = {
        d: (Fraction(frame.get(d, 0), whole), Fraction(sample.get(d, 0), drawn))
        for d in sorted({*frame, *sample})
    }
    greatest = max(max(pair) for pair in shares.values()) or Fraction(1)
    rows = []
    for district, (in_frame, in_sample) in shares.items():
        rows.append(
            tag(
                "tr",
                tag("th", documents.name("districts", district), scope="row"),
                tag("td", f"{frame.get(district, 0):,}", class_="n"),
                tag("td", percent(in_frame), class_="n"),
                tag("td", f"{sample.get(district, 0):,}", class_="n"),
                tag("td", percent(in_sample), class_="n"),
                tag("td", _bars(in_frame / greatest, in_sample / greatest)),
            )
        )
    headings = (
        Both("行政区划", "District"),
        Both("抽样框", "Frame"),
        Both("占比", "Share"),
        Both("抽中", "Sample"),
        Both("占比", "Share"),
        Both("对照", "Compared"),
    )
    key = tag(
        "p",
        tag("i"),
        Both("抽样框占比", "share of the frame"),
        tag("i", class_="sample"),
        Both("抽中占比", "share of the sample"),
        class_="key note",
    )
    text = paragraph(
        "高风险企业的名额较多，因此两种占比不必相等。",
        "Riskier enterprises have higher quotas, so the two shares need not be equal.",
        "note",
    )
    return join(
        tag("h3", Both("各行政区划", "By district")), key, table(headings, rows, class_="numbers drawn"), text
    )


def _bars(upper: Fraction, lower: Fraction) -> Html:
    """Return two bars, hidden from screen readers: their figures stand in the cells beside them."""
    widths = [round(float(value) * _BAR) for value in (upper, lower)]
    return tag(
        "svg",
        tag("rect", x=0, y=2, width=widths[0], height=8, class_="frame-bar"),
        tag("rect", x=0, y=12, width=widths[1], height=8, class_="sample-bar"),
        width=_BAR,
        height=22,
        viewBox=f"0 0 {_BAR} 22",
        aria_hidden="true",
    )


def _workload(figures: Mapping[str, Any]) -> Html:
    loads = [entry["crews"] for entry in figures["workload"]]
    if not loads:
        return Html("")
    load = figures["load"]
    return join(
        tag("h3", Both("检查人员工作量", "Workload of the inspectors")),
        paragraph(
            f"每名检查人员参加的检查组数：最少 {load['least']}，中位数 {load['median']}，最多 "
            f"{load['greatest']}。",
            f"Crews per inspector: least {load['least']}, median {load['median']}, greatest "
            f"{load['greatest']}.",
        ),
        histogram(loads),
    )


def histogram(loads: Sequence[int]) -> Html:
    """Return a figure of how many inspectors (bars) have how many crews; ``loads`` is not empty."""
    greatest = max(loads)
    width = greatest // _BINS + 1
    counted = Counter(value // width for value in loads)
    bins = range(greatest // width + 1)
    tallest = max(counted.values())
    step, height = 30, 120
    shapes: list[Html] = []
    described = []
    for place in bins:
        count = counted.get(place, 0)
        size = round(count / tallest * height)
        first, last = place * width, place * width + width - 1
        label = str(first) if width == 1 else f"{first}–{last}"
        left = place * step
        shapes.append(
            tag("rect", x=left + 3, y=height - size + 16, width=step - 6, height=size, class_="sample-bar")
        )
        shapes.append(tag("text", label, x=left + step // 2, y=height + 32, text_anchor="middle"))
        if count:
            shapes.append(tag("text", count, x=left + step // 2, y=height - size + 12, text_anchor="middle"))
            described.append(f"{label}: {count}")
    across = len(bins) * step
    picture = tag(
        "svg",
        tag("line", x1=0, y1=height + 16, x2=across, y2=height + 16, class_="axis"),
        *shapes,
        width=across,
        height=height + 40,
        viewBox=f"0 0 {across} {height + 40}",
        role="img",
        aria_label="; ".join(described),
    )
    caption = Both("横轴：检查组数；柱上数字：人数", "Across: crews; above the bars: inspectors")
    return tag("figure", picture, tag("figcaption", caption))


def _excluded(figures: Mapping[str, Any]) -> Html:
    if not figures["excluded"]:
        return Html("")
    rows = [
        row(_named(REASONS, entry["reason"]), f"{entry['count']:,}", numbers=True)
        for entry in figures["excluded"]
    ]
    return join(
        tag("h3", Both("未进入抽样框的企业", "Enterprises left out of the frame")),
        table((Both("原因", "Reason"), Both("企业数", "Enterprises")), rows, class_="numbers"),
    )


def _flags(figures: Mapping[str, Any]) -> Html:
    """Show what was conspicuous when the lists were frozen."""
    if not figures["flags"]:
        return Html("")
    rows = [row(flag["task"] or "–", _named(FLAGS, flag["code"]), flag["value"]) for flag in figures["flags"]]
    return join(
        tag("h3", Both("值得注意", "To be noted")),
        paragraph(
            "以下各点可能有正当原因，公布是为了让人可以追问。",
            "Each of these may have an honest cause; they are published so that anyone can ask.",
            "note",
        ),
        table((Both("任务", "Task"), Both("情况", "What"), Both("数值", "Value")), rows),
    )


def _named(names: Mapping[str, tuple[str, str]], code: str) -> Both | str:
    words = names.get(code)
    return code if words is None else Both(*words)
