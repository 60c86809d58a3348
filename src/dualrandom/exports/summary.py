"""``summary.html``: a page for those who run the draw, with the names of inspectors; not for publication."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dualrandom.exports.view import ExportView, VisitRow
from dualrandom.page.figures import histogram, overlap
from dualrandom.page.markup import Both, Html, bullets, code, join, page, paragraph, row, table, tag
from dualrandom.page.style import POLICY, STYLE


def summary(view: ExportView) -> bytes:
    """Return the page as UTF-8 bytes, in both languages, the plan's first."""
    name = view.authority
    title = Both(f"{name.zh}：抽取小结（内部）", f"{name.en}: summary of the draw (internal)")
    period = view.announcement["period"]
    warning = Both(
        "本页含检查人员姓名，仅供内部使用，不得公开。",
        "This page names inspectors: for internal use, not for publication.",
    )
    body = join(
        tag(
            "header",
            tag("h1", title),
            tag("p", code(view.draw), f" {period['start']} – {period['end']}", class_="note"),
            tag("div", tag("strong", warning), class_="banner", role="note"),
            _figures(view),
        ),
        tag(
            "main",
            overlap(view.statistics["overlap"], view.result["totals"]["visits"]),
            _departments(view),
            _districts(view),
            _workload(view),
            _undated(view),
            _unfilled(view),
            tag("h3", Both("种子", "Seed")),
            tag("pre", view.seed),
        ),
    )
    return page(title, view.plan.language, STYLE, POLICY, body)


def _figures(view: ExportView) -> Html:
    totals = view.result["totals"]
    figures = (
        (Both("上门检查", "Visits"), totals["visits"]),
        (Both("检查项", "Checks"), totals["checks"]),
        (Both("检查组", "Crews"), totals["crews"]),
        (Both("未能排期", "Without a date"), totals["undated"]),
    )
    return tag(
        "dl",
        *(tag("div", tag("dt", words), tag("dd", f"{value:,}")) for words, value in figures),
        class_="figures",
    )


def _departments(view: ExportView) -> Html:
    rows = []
    for department in view.departments:
        mine = [visit for visit in view.visits if department.id in visit.departments]
        crews = [c for visit in mine for c in visit.crews if c.department == department.id and c.members]
        people = {member.code for crew in crews for member in crew.members}
        checks = sum(len(items) for v in mine for task, items in v.checks if task.department == department.id)
        cells = (f"{n:,}" for n in (len(mine), checks, len(crews), len(people)))
        rows.append(row(Both(department.name, department.name_en), *cells, numbers=True))
    headings = (
        Both("部门", "Department"),
        Both("上门检查", "Visits"),
        Both("检查项", "Checks"),
        Both("检查组", "Crews"),
        Both("参加人数", "Inspectors"),
    )
    return join(tag("h3", Both("各部门", "By department")), table(headings, rows, class_="numbers"))


def _districts(view: ExportView) -> Html:
    counted = Counter(visit.district for visit in view.visits)
    rows = [row(view.district_name(d), f"{counted[d]:,}", numbers=True) for d in sorted(counted)]
    headings = (Both("行政区划", "District"), Both("上门检查", "Visits"))
    return join(tag("h3", Both("各行政区划", "By district")), table(headings, rows, class_="numbers"))


def _workload(view: ExportView) -> Html:
    crews: Counter[str] = Counter()
    days: dict[str, set[str]] = {}
    for visit in view.visits:
        for crew in visit.crews:
            for member in crew.members:
                crews[member.code] += 1
                days.setdefault(member.code, set()).add(visit.date or "")
    people = sorted(view.inspectors.values(), key=lambda i: (i.department, -crews[i.code], i.code))
    if not people:
        return Html("")
    rows = [
        row(
            join(person.name, " ", tag("span", person.code, class_="id")),
            view.department_name(person.department),
            tag("span", f"{crews[person.code]:,}"),
            tag("span", f"{len(days.get(person.code, ())):,}"),
        )
        for person in people
    ]
    headings = (
        Both("检查人员", "Inspector"),
        Both("部门", "Department"),
        Both("检查组数", "Crews"),
        Both("检查天数", "Days"),
    )
    picture = histogram([crews[person.code] for person in people])
    return join(
        tag("h3", Both("检查人员工作量", "Workload of the inspectors")), picture, table(headings, rows)
    )


def _undated(view: ExportView) -> Html:
    undated = [visit for visit in view.visits if visit.date is None]
    if not undated:
        return paragraph("全部检查均已排期。", "Every visit has a date.")
    return join(
        tag("h3", Both("未能排期的检查", "Visits without a date")),
        bullets(_named(undated)),
    )


def _unfilled(view: ExportView) -> Html:
    """List the crews that a department's withdrawal left unfilled."""
    rows = [
        row(visit.date or "", view.department_name(crew), _name(visit), view.withdrawals[crew])
        for visit in view.visits
        for crew in sorted(visit.unfilled)
    ]
    if not rows:
        return Html("")
    headings = (
        Both("检查日期", "Date"),
        Both("部门", "Department"),
        Both("检查对象", "Enterprise"),
        Both("退出理由", "Reason of the withdrawal"),
    )
    return join(tag("h3", Both("空缺的检查组", "Unfilled crews")), table(headings, rows))


def _named(undated: Iterable[VisitRow]) -> Iterable[Html]:
    return map(_name, undated)


def _name(visit: VisitRow) -> Html:
    return join(visit.enterprise.name, " ", tag("span", visit.enterprise.id, class_="id"))
