"""The list of visits with departments, items, crews and findings, day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from dualrandom.page.changes import changes
from dualrandom.page.documents import Crew, Documents, Finding, Visit
from dualrandom.page.markup import Both, Html, bullets, join, paragraph, row, sentence, table, tag
from dualrandom.page.words import FINDING_CODES, finding_words, local_time, many, method_words, weekday

_MANY = 500

_REASONS = {
    "closed": Both("所有日期该企业均不能接受检查", "closed on every day"),
    "seat-without-candidate": Both(
        "某个席位没有合格且无须回避的检查人员", "a seat that no qualified, unrecused inspector can take"
    ),
    "no-seatable-day": Both(
        "没有一天能与已排期的检查同时配齐人员",
        "no day on which crews can be seated together with the dated visits",
    ),
}
"""Why a visit has no date, as ``statistics.json`` codes it."""


def visits(documents: Documents) -> Html:
    """Return the section of visits and findings."""
    heading = tag("h2", Both("检查名单与结果", "Visits and findings"), id="visits")
    if documents.void is not None and documents.result is None:
        return tag(
            "section",
            heading,
            paragraph("本次抽取已作废，没有检查名单。", "This draw is void; nobody is visited."),
        )
    if documents.result is None:
        return tag("section", heading, paragraph("尚未抽取。", "Nothing has been drawn yet."))
    parts = [heading, _summary(documents)]
    if documents.hidden_visits:
        parts.append(
            paragraph(
                f"另有 {documents.hidden_visits:,} 次检查暂缓公开。",
                f"{documents.hidden_visits:,} more visits are under embargo.",
            )
        )
    if documents.recorded:
        parts.append(_codes(documents))
    dated = sorted(
        (v for v in documents.visits if v.date), key=lambda v: (v.date or "", v.enterprise, v.part)
    )
    days = [(day, list(group)) for day, group in groupby(dated, key=lambda v: v.date or "")]
    if len(days) > 1:
        links = (
            tag("li", tag("a", day[5:], tag("b", len(group)), href=f"#day-{day}")) for day, group in days
        )
        parts.append(tag("nav", tag("ul", *links), class_="days", aria_label="日期 Days"))
    parts += [_day(documents, day, group) for day, group in days]
    waiting = [v for v in documents.visits if v.crews is None]
    if waiting:
        title = Both(
            f"日期和检查人员暂缓公开（{len(waiting):,} 次）",
            f"Date and inspectors under embargo ({len(waiting):,})",
        )
        parts.append(tag("section", tag("h3", title), _table(documents, waiting), class_="day"))
    undated = [v for v in documents.visits if v.undated]
    if undated:
        parts.append(_undated(documents, undated))
    parts.append(changes(documents))
    # browsers then lay out only the days in sight
    return tag("section", *parts, class_="many" if len(documents.visits) > _MANY else None)


def _summary(documents: Documents) -> Html:
    assert documents.result is not None
    totals = documents.result["totals"]
    crews = totals["crews"]
    return paragraph(
        f"共 {totals['visits']:,} 次上门检查、{totals['checks']:,} 个检查项、{crews:,} 个检查组。按日期排列。"
        "",
        f"{many(totals['visits'], 'visit')} with {many(totals['checks'], 'check')} and {many(crews, 'crew')}, by date.",
    )


def _codes(documents: Documents) -> Html:
    counted = Counter(finding.code for finding in documents.findings.values())
    order = {known: place for place, known in enumerate(FINDING_CODES)}
    rows = [
        row(join(_chip(known), " ", finding_words(known)), f"{counted[known]:,}", numbers=True)
        for known in sorted(counted, key=lambda c: (order.get(c, len(order)), c))
    ]
    assert documents.result is not None
    checks = documents.result["totals"]["checks"]
    caption = Both(
        f"已公布 {len(documents.findings):,} 个检查项的结果（共 {checks:,} 个）",
        f"Findings published for {len(documents.findings):,} of {checks:,} checks",
    )
    headings = (Both("检查结果", "Finding"), Both("检查项数", "Checks"))
    return table(headings, rows, caption=caption, class_="numbers")


def _chip(finding_code: str) -> Html:
    return tag("span", finding_code, class_="code clear" if finding_code == "1" else "code")


def _day(documents: Documents, day: str, group: list[Visit]) -> Html:
    words = weekday(day)
    count = Both(f"{words.zh}，{len(group):,} 次检查", f"{words.en}, {many(len(group), 'visit')}")
    return tag("section", tag("h3", day, " ", count, id=f"day-{day}"), _table(documents, group), class_="day")


def _table(documents: Documents, group: list[Visit]) -> Html:
    headings = (
        Both("检查对象", "Enterprise"),
        Both("部门", "Department"),
        Both("事项与结果", "Items and findings"),
        Both("检查人员", "Inspectors"),
    )
    head = tag(
        "thead", tag("tr", *(tag("th", h, scope="col", class_=f"c{i}") for i, h in enumerate(headings, 1)))
    )
    return tag("div", tag("table", head, *(_visit(documents, visit) for visit in group)), class_="box")


def _visit(documents: Documents, visit: Visit) -> Html:
    departments: dict[str, list[tuple[str, str]]] = {}
    tasks = documents.tasks
    for task, items in visit.checks:
        lines = departments.setdefault(str(tasks[task]["department"]), [])
        lines.extend((task, item) for item in items)
    crews = {crew.department: crew for crew in visit.crews or ()}
    name = documents.name("enterprises", visit.enterprise)
    district = documents.name("districts", visit.district)
    where = Both(district.zh, district.en)
    if visit.part > 1:
        where = Both(f"{district.zh} · 第 {visit.part} 次", f"{district.en} · part {visit.part}")
    named = tag("div", name, class_="name") if documents.has_name("enterprises", visit.enterprise) else None
    who = tag(
        "th",
        named,
        tag("div", visit.enterprise, class_="id"),
        tag("div", where, class_="note"),
        rowspan=len(departments) if len(departments) > 1 else None,
        scope="rowgroup",
    )
    rows = []
    for place, (department, lines) in enumerate(sorted(departments.items())):
        rows.append(
            tag(
                "tr",
                who if not place else None,
                tag("td", documents.name("departments", department)),
                tag("td", bullets(_line(documents, visit, task, item, lines) for task, item in lines)),
                tag("td", _people(documents, crews.get(department), visit)),
            )
        )
    return tag("tbody", *rows, class_="visit")


def _line(documents: Documents, visit: Visit, task: str, item: str, lines: Sequence[tuple[str, str]]) -> Html:
    words = documents.name("items", item)
    if sum(other == item for _, other in lines) > 1:
        # two tasks of the department ask for the same item
        of = documents.name("tasks", task)
        words = Both(f"{words.zh}（{of.zh}）", f"{words.en} ({of.en})")
    finding = documents.findings.get((visit.enterprise, visit.part, task, item))
    if finding is None:
        return join(words)
    return join(words, " ", _chip(finding.code), " ", finding_words(finding.code), _history(finding))


def _history(finding: Finding) -> Html:
    method = method_words(finding.method)
    done = Both(f"（{finding.date}，{method.zh}）", f" ({finding.date}, {method.en})")
    if finding.revision == 1:
        return tag("span", done, class_="note nowrap")
    before = " → ".join(finding.earlier)
    return tag(
        "span",
        done,
        Both(
            sentence(
                "第 {n} 版，原为 {b}，更正理由：{r}", n=finding.revision, b=before, r=finding.reason or "–"
            ),
            sentence(
                " Revision {n}, before: {b}; reason: {r}",
                n=finding.revision,
                b=before,
                r=finding.reason or "–",
            ),
        ),
        class_="note",
    )


def _people(documents: Documents, crew: Crew | None, visit: Visit) -> Html:
    if crew is None:
        return join(Both("暂缓公开", "under embargo") if visit.crews is None else "–")
    if not crew.seats:
        return _unfilled(documents, crew.department)
    crews: list[dict[str, Any]] = documents.announcement["crews"]
    seats: list[list[str]] = next((c["seats"] for c in crews if c["department"] == crew.department), [])
    lines = []
    for place, person in enumerate(crew.seats):
        leads = place < len(seats) and "leader" in seats[place]
        named = documents.has_name("inspectors", person) and not documents.sealed
        lines.append(
            join(
                join(documents.name("inspectors", person), " ") if named else None,
                tag("span", person, class_="id"),
                Both("（组长）", " (leader)") if leads else None,
            )
        )
    barred = Both(f"回避 {len(crew.barred)} 人", f"{len(crew.barred)} recused") if crew.barred else None
    return join(bullets(lines), tag("div", barred, class_="note") if barred else None)


def _unfilled(documents: Documents, department: str) -> Html:
    """Say that nobody of the department comes, and why."""
    reason = documents.withdrawal_of(department)
    return join(
        tag("strong", Both("空缺", "unfilled")),
        None
        if reason is None
        else tag("div", Both("部门退出：", "department withdrew: "), reason, class_="note"),
    )


def _undated(documents: Documents, undated: list[Visit]) -> Html:
    statistics = documents.statistics or {"undated": []}
    reasons = {(entry["enterprise"], entry["part"]): str(entry["reason"]) for entry in statistics["undated"]}
    rows = []
    for visit in undated:
        reason = reasons.get((visit.enterprise, visit.part), "")
        name = documents.name("enterprises", visit.enterprise)
        district = documents.name("districts", visit.district)
        tasks = [documents.name("tasks", task) for task, _ in visit.checks]
        listed = Both("；".join(t.zh for t in tasks), "; ".join(t.en for t in tasks))
        named = join(name, " ") if documents.has_name("enterprises", visit.enterprise) else None
        who = join(named, tag("span", visit.enterprise, class_="id"))
        rows.append(row(who, district, listed, _REASONS.get(reason, Both(reason, reason))))
    headings = (
        Both("检查对象", "Enterprise"),
        Both("行政区划", "District"),
        Both("任务", "Tasks"),
        Both("原因", "Reason"),
    )
    text = paragraph(
        "下列企业已被抽中，但在名录、资格、回避、上限和可用日期之内排不出检查组。它们仍属抽中名单。",
        "These enterprises were selected, but no crew could be seated on any day within roster, marks, "
        "recusals, caps and days. They stay on the list.",
    )
    due = local_time(documents.announcement["deadlines"]["findings"], str(documents.announcement["timezone"]))
    after = paragraph(f"检查结果的公布期限：{due}。", f"Findings are due by {due}.", "note")
    title = tag("h3", Both(f"未能排期（{len(undated):,} 次）", f"Without a date ({len(undated):,})"))
    return tag("section", title, text, table(headings, rows), after)
