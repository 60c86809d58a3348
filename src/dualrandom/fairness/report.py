"""The audit as one html page in both languages, with its plots as inline SVG; nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

from dualrandom.errors import Language
from dualrandom.page.markup import Both, Html, code, join, page, paragraph, row, table, tag
from dualrandom.page.style import POLICY, STYLE

_WIDTH, _HEIGHT, _LEFT, _MARGIN = 640, 160, 150, 20
_TESTS = {
    "sizes": Both("名额", "Sizes"),
    "chi_square": Both("卡方", "Chi-square"),
    "trend": Both("先后", "Trend"),
    "neighbours": Both("相邻", "Neighbours"),
    "largest": Both("最大偏差", "Largest"),
    "coverage": Both("覆盖", "Coverage"),
    "repeats": Both("重复", "Repeats"),
}
_PAIRING = Both("配对", "Pairing")
_LEAST_P = 1e-12
"""Smaller p-values are drawn at the end of the scale."""


def render_audit(report: Mapping[str, Any], language: Language = "zh") -> bytes:
    """Return the page of one audit, UTF-8; ``language`` is shown first."""
    title = Both("抽取公平性审计", "Fairness audit of a draw")
    body = join(
        tag("header", tag("h1", title), tag("p", code(report["draw"]), class_="lead")),
        tag(
            "main",
            _verdict(report),
            _coverage(report),
            _tests(report),
            _deviations(report),
            _tasks(report),
            _pairing(report),
            _method(report),
        ),
    )
    return page(title, language, STYLE, POLICY, body)


def shown_p(p: float) -> str:
    """Return a p-value for people.

    >>> shown_p(0.25), shown_p(0.00004), shown_p(0.0)
    ('0.250', '4.0e-05', '0')
    """
    if p == 0:
        return "0"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"


def _px(value: float) -> str:
    """Return a length for SVG."""
    return f"{value:.1f}"


def _text(words: Both, **attributes: str | int) -> Html:
    """Return an SVG text in each language; html elements may not stand inside of one."""
    return join(
        *(tag("text", text, lang=lang, **attributes) for lang, text in (("zh", words.zh), ("en", words.en)))
    )


def _verdict(report: Mapping[str, Any]) -> Html:
    weakest = report["weakest"]
    test = _TESTS.get(weakest["test"], _PAIRING)
    where = f"{weakest['where']}: p = {shown_p(weakest['p'])}"
    if report["fair"]:
        words = Both("未发现不公平之处", "Nothing unfair was found")
    else:
        words = Both("抽取不公平", "The draw is not fair")
    figures = (
        (Both("抽取次数", "Draws"), f"{report['draws']:,}"),
        (Both("完整抽取（含配对）", "Whole draws (with pairing)"), f"{report['pairings']:,}"),
        (Both("检验数", "Tests"), f"{report['tests']:,}"),
        (Both("总 p 值", "p-value of all"), shown_p(report["p_value"])),
    )
    boxes = [tag("div", tag("dt", name), tag("dd", value)) for name, value in figures]
    weakest_words = Both(f"最弱的一项：{test.zh}，{where}", f"Weakest of all: {test.en}, {where}")
    if report["fair"]:
        verdict = join(tag("p", words, class_="lead"), tag("p", weakest_words))
    else:
        verdict = tag("div", tag("strong", words), weakest_words, class_="banner bad")
    sealed = None
    if report["sealed"]:
        sealed = tag(
            "div",
            Both(
                "本次抽取为密封式：本页含有各企业的概率与分层，不得公布。",
                "This draw is sealed: the page holds probabilities and strata of enterprises and must not be published.",
            ),
            class_="banner",
        )
    return tag(
        "section",
        verdict,
        sealed,
        tag("dl", *boxes, class_="figures"),
        paragraph(
            f"一种公平的抽取方法，平均一千次审计中至多有一次被误判（显著性水平 {report['alpha']}，已按检验数校正）。",
            f"A fair way of drawing is called unfair in at most one audit of a thousand (level {report['alpha']}, "
            "corrected for the number of tests).",
            "note",
        ),
    )


def _coverage(report: Mapping[str, Any]) -> Html:
    found = report["coverage"]
    blocked = found["eligible"] - found["drawable"]
    text = [
        paragraph(
            f"抽样框中 {found['eligible']:,} 家企业，{found['drawable']:,} 家有机会被抽中；"
            f"{found['seen']:,} 家至少被抽中一次，{found['unseen']:,} 家一次也没有"
            f"（随机所致至多约 {found['expected_unseen_at_most']:,.1f} 家）。",
            f"Of {found['eligible']:,} enterprises in the frame {found['drawable']:,} can be drawn; "
            f"{found['seen']:,} were drawn at least once, {found['unseen']:,} never "
            f"(chance leaves out at most about {found['expected_unseen_at_most']:,.1f}).",
        )
    ]
    if blocked:
        text.append(
            paragraph(
                f"{blocked:,} 家所在各层的名额均为零，不会被抽中。",
                f"{blocked:,} are only in strata with a quota of zero and cannot be drawn.",
                "note",
            )
        )
    if found["unseen_ids"]:
        ids = [join(" ", code(one)) for one in found["unseen_ids"]]
        text.append(
            tag(
                "p",
                Both("从未抽中（列出前若干户）：", "Never drawn (the first of them): "),
                *ids,
                class_="note",
            )
        )
    return tag("section", tag("h2", Both("覆盖", "Coverage")), *text)


def _tests(report: Mapping[str, Any]) -> Html:
    """Plot -log10 p of every test, one line a kind, with the level that a single one must not pass."""
    lines: list[tuple[Both, list[tuple[str, float]]]] = [
        (name, [(entry["task"], entry[key]["p"]) for entry in report["tasks"]])
        for key, name in _TESTS.items()
    ]
    departments = report["pairing"]["departments"]
    if departments:
        lines.append((_PAIRING, [(entry["department"], entry["p"]) for entry in departments]))
    scale = (_WIDTH - _LEFT - 20) / -log10(_LEAST_P)

    def across(p: float) -> str:
        return _px(_LEFT - log10(max(p, _LEAST_P)) * scale)

    level = report["alpha"] / max(1, report["tests"])
    height = 24 * len(lines) + 30
    shapes: list[Html] = [
        tag("line", x1=across(level), y1=4, x2=across(level), y2=height - 26, stroke="currentColor"),
        tag("text", shown_p(level), x=across(level), y=height - 8, text_anchor="middle"),
        tag("text", "p = 1", x=_LEFT, y=height - 8, text_anchor="middle"),
    ]
    for number, (name, points) in enumerate(lines):
        middle = 24 * number + 16
        shapes.append(_text(name, x=_LEFT - 12, y=middle + 4, text_anchor="end"))
        shapes.append(tag("line", x1=_LEFT, y1=middle, x2=_WIDTH - 10, y2=middle, class_="axis"))
        for where, p in points:
            label = tag("title", f"{where}: {shown_p(p)}")
            shapes.append(tag("g", label, tag("circle", cx=across(p), cy=middle, r=4, class_="sample-bar")))
    caption = Both(
        "每点为一个任务（或部门）的一项检验；越靠右越不可能出于偶然，竖线右侧为不公平",
        "Each dot is one test of one task (or department); the further right the less likely by chance; right of the line is unfair",
    )
    return tag(
        "section",
        tag("h2", Both("各项检验", "All tests")),
        _figure(shapes, _WIDTH, height, Both("各项检验的 p 值", "p-values of all tests"), caption),
    )


def _figure(shapes: Sequence[Html], width: int, height: int, name: Both, caption: Both) -> Html:
    drawing = tag(
        "svg",
        *shapes,
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=f"{name.zh} · {name.en}",
    )
    return tag("figure", drawing, tag("figcaption", caption))


def _deviations(report: Mapping[str, Any]) -> Html:
    histogram = report["histogram"]
    observed, expected = histogram["observed"], histogram["expected"]
    tallest = max(1.0, *observed, *expected)
    step = (_WIDTH - 2 * _MARGIN) / len(observed)
    shapes: list[Html] = []
    for number, (count, mean) in enumerate(zip(observed, expected, strict=True)):
        left = _MARGIN + number * step
        size = count / tallest * _HEIGHT
        level = _px(_HEIGHT + 10 - mean / tallest * _HEIGHT)
        shapes.append(
            tag(
                "rect",
                x=_px(left + 1),
                y=_px(_HEIGHT + 10 - size),
                width=_px(step - 2),
                height=_px(size),
                class_="frame-bar",
            )
        )
        shapes.append(
            tag(
                "line",
                x1=_px(left),
                y1=level,
                x2=_px(left + step),
                y2=level,
                stroke="currentColor",
                stroke_width=2,
            )
        )
    edges = histogram["edges"]
    shapes += [
        tag(
            "text",
            f"{edges[number]:+.0f}",
            x=_px(_MARGIN + number * step),
            y=_HEIGHT + 26,
            text_anchor="middle",
        )
        for number in range(0, len(edges), 4)
    ]
    caption = Both(
        "横轴：企业被抽中次数与其应有次数之差（标准差为单位，两端合并）；柱：实际，横线：公平抽取的期望",
        "Across: how often an enterprise was drawn less how often it should be, in standard deviations (ends "
        "merged); bars: found, lines: expected of a fair draw",
    )
    return tag(
        "section",
        tag("h2", Both("每家企业的偏差", "Deviation of every enterprise")),
        _figure(shapes, _WIDTH, _HEIGHT + 34, Both("偏差分布", "Distribution of deviations"), caption),
    )


def _tasks(report: Mapping[str, Any]) -> Html:
    rows = []
    for entry in report["tasks"]:
        largest = entry["largest"]
        deviation = "–"
        if largest["enterprise"] is not None:
            deviation = f"{largest['share']:.4f} / {largest['probability']:.4f} [{largest['lowest']:.4f}, {largest['highest']:.4f}]"
        chi, covered = entry["chi_square"], entry["coverage"]
        rows.append(
            row(
                entry["task"],
                f"{entry['enterprises']:,}",
                f"{entry['selected']:,.2f} / {entry['expected']:,.2f}",
                f"{chi['statistic']:,.1f} / {chi['degrees']:,}",
                join(deviation, " ", code(largest["enterprise"] or "")),
                f"{covered['unseen']:,} / {covered['expected_unseen']:,.2f}",
                *(shown_p(entry[key]["p"]) for key in _TESTS),
                numbers=True,
            )
        )
    headings: tuple[Both, ...] = (
        Both("任务", "Task"),
        Both("企业", "Enterprises"),
        Both("每次抽中 / 应抽", "Drawn / due"),
        Both("卡方 / 自由度", "Chi-square / degrees"),
        Both("最大偏差：实际 / 应有 [带]", "Largest: share / chance [band]"),
        Both("未抽中 / 期望", "Unseen / expected"),
        *(Both(f"p：{name.zh}", f"p: {name.en}") for name in _TESTS.values()),
    )
    followers = None
    if report["followers"]:
        names = ", ".join(report["followers"])
        followers = paragraph(
            f"跟随任务由其牵头任务决定，不另检验：{names}",
            f"Followers are decided by their leads and not tested apart: {names}",
            "note",
        )
    return tag(
        "section", tag("h2", Both("各任务", "By task")), table(headings, rows, class_="numbers"), followers
    )


def _pairing(report: Mapping[str, Any]) -> Html:
    pairing = report["pairing"]
    heading = tag("h2", Both("检查人员", "Inspectors"))
    if not pairing["draws"]:
        return tag("section", heading, paragraph("未作完整抽取。", "No whole draws were made."))
    rows = [
        row(
            entry["department"],
            f"{entry['compared']:,} / {entry['inspectors']:,}",
            f"{entry['statistic']:,.1f} / {entry['degrees']:,}",
            shown_p(entry["p"]),
            numbers=True,
        )
        for entry in pairing["departments"]
    ]
    headings = (
        Both("部门", "Department"),
        Both("可比 / 全部", "Comparable / all"),
        Both("卡方 / 自由度", "Chi-square / degrees"),
        Both("p", "p"),
    )
    return tag(
        "section",
        heading,
        paragraph(
            "完整抽取时暂不计回避与请假（否则几乎没有两人条件相同）：部门、区划、资格与上限都相同的人员，分得的检查组数应当相同。没有同类的人员无从比较。",
            "Whole draws set recusals and absences aside, for with them hardly two people are alike: inspectors who agree in "
            "department, districts, marks and caps should get the same number of crews. Whoever has no equal cannot be compared.",
        ),
        table(headings, rows, class_="numbers"),
        _loads(pairing),
    )


def _loads(pairing: Mapping[str, Any]) -> Html | None:
    """Plot each compared inspector's mean crews less the mean of the class, with the band."""
    people = [p for p in pairing["inspectors"] if p["lowest"] is not None]
    if not people:
        return None
    people.sort(key=lambda p: (p["department"], p["class"], p["inspector"]))
    reach = max(max(abs(p["crews"] - p["mean"]), p["highest"] - p["mean"]) for p in people) or 1.0
    step = _WIDTH / len(people)
    middle = _HEIGHT // 2 + 10

    def up(value: float) -> float:
        return middle - value / reach * _HEIGHT / 2

    shapes: list[Html] = []
    for number, p in enumerate(people):
        left = number * step
        half = p["highest"] - p["mean"]
        shapes.append(
            tag(
                "rect",
                x=_px(left),
                y=_px(up(half)),
                width=_px(max(step - 1, 0.5)),
                height=_px(up(-half) - up(half)),
                class_="frame-bar",
            )
        )
        label = tag("title", f"{p['inspector']}: {p['crews']:.2f} / {p['mean']:.2f}")
        height = _px(up(p["crews"] - p["mean"]))
        dot = tag("circle", cx=_px(left + step / 2), cy=height, r=3, class_="sample-bar")
        shapes.append(tag("g", label, dot))
    shapes.append(tag("line", x1=0, y1=middle, x2=_WIDTH, y2=middle, class_="axis"))
    shapes.append(tag("text", f"+{reach:.2f}", x=2, y=12))
    caption = Both(
        "每点一名检查人员：每次抽取的平均检查组数减去同类人员的平均数；浅色为随机波动的范围",
        "Each dot is an inspector: mean crews per draw less the mean of those alike; pale is what chance does",
    )
    name = Both("检查人员负荷偏差", "Deviation of the inspectors' loads")
    return _figure(shapes, _WIDTH, _HEIGHT + 20, name, caption)


def _method(report: Mapping[str, Any]) -> Html:
    return tag(
        "section",
        tag("h2", Both("方法", "Method")),
        tag(
            "p",
            Both("第 k 次抽取（自 0 起）的种子：", "Seed of draw k, from 0: "),
            code(f'H("dualrandom/audit\\n{report["announcement"]}\\n" + k)'),
        ),
        paragraph(
            "卡方：各层内抽中次数的离散程度，方差按不放回抽样与每次实际名额精确换算；先后：编号靠前或靠后者是否占便宜；"
            "相邻：编号相邻者是否过少或过多地一同抽中（随机起点加固定步长即在此暴露）；"
            "重复：整个样本是否过于频繁地重现（种子过短即在此暴露）。",
            "Chi-square: how uneven the counts within strata are, its variance exact for draws without replacement and the sizes that "
            "were drawn. Trend: do early or late ids have an advantage. Neighbours: are neighbours drawn together too "
            "seldom or too often (a random start with a fixed step shows here). Repeats: do whole samples recur too often (a "
            "short seed shows here).",
        ),
    )
