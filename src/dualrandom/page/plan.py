"""The announced plan: tasks, items, quotas, crews, rules, committed lists (docs/protocol.md §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from dualrandom.page.documents import Documents
from dualrandom.page.markup import Both, Html, bullets, code, join, paragraph, row, sentence, table, tag
from dualrandom.page.words import LISTS, local_time, percent

_SHORT = 24
"""Longer tables are folded."""


def plan(documents: Documents) -> Html:
    """Return the section on what was fixed before the randomness existed."""
    return tag(
        "section",
        tag("h2", Both("抽查计划", "Plan"), id="plan"),
        _tasks(documents),
        _quotas(documents),
        tag("h3", Both("检查组", "Crews")),
        _crews(documents),
        tag("h3", Both("规则与期限", "Rules and deadlines")),
        _rules(documents),
        tag("h3", Both("公告时固定的名录", "Lists fixed by the announcement")),
        _lists(documents),
    )


def items(documents: Documents) -> Html:
    """Return the section of the items with their legal bases."""
    labels = documents.labels.get("items", {})
    rows = []
    for task_id, task in documents.tasks.items():
        for item in task["items"]:
            basis = labels.get(item["id"], {}).get("basis", "")
            rows.append(
                row(
                    join(documents.name("items", item["id"]), " ", tag("span", item["id"], class_="id")),
                    documents.name("tasks", task_id),
                    documents.name("departments", task["department"]),
                    basis,
                    ", ".join(item["marks"]) or "–",
                )
            )
    headings = (
        Both("事项", "Item"),
        Both("任务", "Task"),
        Both("部门", "Department"),
        Both("检查依据", "Legal basis"),
        Both("所需资格", "Marks required"),
    )
    title = Both(f"全部 {len(rows)} 个事项", f"All {len(rows)} items")
    heading = tag("h2", Both("抽查事项", "Items"), id="items")
    return tag("section", heading, folded(title, len(rows), table(headings, rows)))


def _tasks(documents: Documents) -> Html:
    rates = {rate["task"]: rate for rate in documents.announcement["rates"]}
    selected = {
        entry["task"]: entry["selected"] for entry in (documents.statistics or {"tasks": ()})["tasks"]
    }
    rows = []
    for task_id, task in documents.tasks.items():
        how: Both = Both("独立抽取", "draws by itself")
        if task["mode"] == "follows":
            lead = documents.name("tasks", task["lead"])
            how = Both(f"随“{lead.zh}”联合检查", f"joins “{lead.en}”")
        figures = (
            str(len(task["items"])),
            "–" if task["total"] is None else _number(task["total"]),
            f"{selected[task_id]:,}" if task_id in selected else "–",
            _chances(rates.get(task_id)),
            _small(rates.get(task_id)),
        )
        rows.append(
            tag(
                "tr",
                tag(
                    "th",
                    documents.name("tasks", task_id),
                    " ",
                    tag("span", task_id, class_="id"),
                    scope="row",
                ),
                tag("td", documents.name("departments", task["department"])),
                tag("td", how),
                *(tag("td", figure, class_="n") for figure in figures),
            )
        )
    headings = (
        Both("任务", "Task"),
        Both("部门", "Department"),
        Both("抽取方式", "How it draws"),
        Both("事项", "Items"),
        Both("名额", "Quota"),
        Both("抽中", "Selected"),
        Both("抽中概率", "Chance"),
        Both("小层*", "Small strata*"),
    )
    note = paragraph(
        "* 企业不足 5 家且全部抽中或全部不抽的层：其结果等于指定。",
        "* Strata of fewer than five enterprises that are drawn whole or not at all: there the outcome is foreseeable.",
        "note",
    )
    title = Both(f"全部 {len(rows)} 项任务", f"All {len(rows)} tasks")
    return folded(title, len(rows), join(table(headings, rows, class_="tail5"), note))


def folded(title: Both, length: int, content: Html) -> Html:
    """Return ``content``, folded under ``title`` if it is long."""
    return content if length <= _SHORT else tag("details", tag("summary", title), content)


def _chances(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "–"
    least, greatest = percent(Fraction(rate["least"])), percent(Fraction(rate["greatest"]))
    return least if least == greatest else f"{least} – {greatest}"


def _small(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "–"
    return str(rate["small"] if isinstance(rate["small"], int) else len(rate["small"]))


def _number(ratio: str) -> str:
    value = Fraction(ratio)
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.2f}"


def _quotas(documents: Documents) -> Html:
    heading = tag("h3", Both("名额", "Quotas"))
    if not documents.sealed:
        text = paragraph(
            "每家企业被抽中的概率等于其所在层的名额除以该层企业数。签号不大于该层分界签号者抽中。",
            "An enterprise's chance is the quota of its stratum divided by the number of enterprises in it. "
            "Whoever's ticket is not greater than the stratum's cutoff is selected.",
        )
        return join(
            heading, text, *(_strata(documents, task) for task in documents.tasks.values() if task["strata"])
        )
    auditor = documents.announcement["auditor"]
    return join(
        heading,
        paragraph(
            "本次抽取为密封方式。各层名额会透露企业的信用风险分类，而该分类依规定不公开；因此各层名额、分类和回避关系"
            "只公布承诺（散列值），明文由审计方持有。公布的是每项任务的总名额，以及各层抽中概率的最小值和最大值。",
            "This draw is sealed. Quotas by stratum would disclose credit classes, which are not public; so these quotas, "
            "classes and recusals are published as commitments (digests) only, and the auditor holds what they stand "
            "for. Public are each task's total, and the least and greatest chance over its strata.",
        ),
        paragraph(f"审计方：{auditor['name']}", f"Auditor: {auditor['name']}") if auditor else None,
    )


def _strata(documents: Documents, task: Mapping[str, Any]) -> Html:
    drawn: dict[str, Mapping[str, Any]] = {}
    if documents.result is not None and documents.result["selection"] is not None:
        drawn = {
            stratum["id"]: stratum
            for selection in documents.result["selection"]
            if selection["task"] == task["id"]
            for stratum in selection["strata"] or ()
        }
    rows = []
    for stratum in task["strata"]:
        size, expected = stratum["size"], Fraction(stratum["expected"])
        mine = drawn.get(stratum["id"])
        rows.append(
            row(
                code(stratum["id"]),
                f"{size:,}",
                stratum["expected"].removesuffix("/1"),
                percent(expected / size) if size else "–",
                "–" if mine is None else f"{mine['n']:,}",
                code(mine["cutoff"][:16] + "…") if mine and mine["cutoff"] else "–",
                numbers=True,
            )
        )
    headings = (
        Both("层", "Stratum"),
        Both("企业数", "Enterprises"),
        Both("名额", "Quota"),
        Both("概率", "Chance"),
        Both("抽中", "Drawn"),
        Both("分界签号", "Cutoff ticket"),
    )
    return tag(
        "details",
        tag("summary", documents.name("tasks", task["id"]), f" ({len(rows)})"),
        table(headings, rows, class_="numbers"),
        open=len(rows) <= _SHORT,
    )


def _crews(documents: Documents) -> Html:
    alike: dict[tuple[tuple[str, ...], ...], list[Both]] = {}
    for crew in documents.announcement["crews"]:
        seats = tuple(tuple(seat) for seat in crew["seats"])
        alike.setdefault(seats, []).append(documents.name("departments", crew["department"]))
    lines = []
    for seats, departments in alike.items():
        named = [_seat(seat) for seat in seats]
        who = Both("；".join(seat.zh for seat in named), "; ".join(seat.en for seat in named))
        whose = Both("、".join(d.zh for d in departments), ", ".join(d.en for d in departments))
        lines.append(join(tag("b", who), Both("：", ": "), whose))
    text = paragraph(
        "每个部门派出一个检查组，依次坐满下列席位；事项所需资格另加入席位。",
        "Each department sends one crew, which fills these seats in order; marks that items require are added to them.",
    )
    return join(text, bullets(lines))


def _seat(marks: Sequence[str]) -> Both:
    words = [Both("组长", "leader") if mark == "leader" else Both(mark, mark) for mark in marks]
    if not words:
        return Both("任何检查人员", "any inspector")
    return Both(" + ".join(word.zh for word in words), " + ".join(word.en for word in words))


def _rules(documents: Documents) -> Html:
    announcement = documents.announcement
    policy, deadlines, zone = announcement["policy"], announcement["deadlines"], str(announcement["timezone"])
    days = announcement["days"]
    rules: list[Both] = [
        _how_dates_arise(str(policy["calendar"]), days),
        Both("允许异地检查。", "Inspectors may work outside their districts.")
        if policy["cross_district"]
        else Both("检查人员不跨行政区划检查。", "Inspectors work in their own districts only."),
        Both("一次上门合并完成全部被抽中的任务。", "One visit carries all tasks that drew the enterprise."),
        Both("无法排期的检查列出并说明原因。", "Visits without a possible date are listed with the reason.")
        if policy["undated"] == "list"
        else Both(
            "只要有一次检查无法排期，抽取即无效。",
            "A single visit without a possible date makes the draw invalid.",
        ),
    ]
    limit = policy["visit_limit"]
    if limit is not None:
        limits = (
            (limit["departments"], "个部门", "departments"),
            (limit["checks"], "个检查项", "checks"),
            (limit["hours"] and _number(limit["hours"]), "小时", "hours"),
        )
        given = [(str(value), zh, en) for value, zh, en in limits if value is not None]
        rules.append(
            Both(
                "一次上门至多 " + "、".join(f"{value} {zh}" for value, zh, _ in given) + "，超出的另日检查。",
                "A visit carries at most "
                + ", ".join(f"{value} {en}" for value, _, en in given)
                + "; the rest comes on another day.",
            )
        )
    if policy["relief"]:
        steps = ", ".join(f"{s['kind']} {s['department']} {s['amount']}" for s in policy["relief"])
        rules.append(
            Both(
                f"人手不足时按公告顺序放宽：{steps}。",
                f"If staff does not suffice, caps are relaxed in the announced order: {steps}.",
            )
        )
    times = (
        (Both("公开各方随机贡献", "Nonces are revealed by"), deadlines["reveal"]),
        (Both("公布抽取结果", "The result is published by"), deadlines["result"]),
        (Both("公布检查结果", "Findings are published by"), deadlines["findings"]),
    )
    facts = [
        part for words, instant in times for part in (tag("dt", words), tag("dd", local_time(instant, zone)))
    ]
    return join(bullets(rules), tag("dl", *facts, class_="facts"))


def _how_dates_arise(calendar: str, days: Sequence[str]) -> Both:
    among = Both(f"{len(days)} 天（{days[0]} 至 {days[-1]}）", f"{len(days)} days ({days[0]} to {days[-1]})")
    if calendar == "lottery":
        return Both(
            f"检查日期从 {among.zh}中抽签确定。", f"The date of a visit is drawn by lot from {among.en}."
        )
    return Both(
        f"检查日期由优化计算从 {among.zh}中选定，只核对其可行性。",
        f"The date of a visit is chosen by optimisation from {among.en}; only its feasibility is checked.",
    )


def _lists(documents: Documents) -> Html:
    rows = []
    for name, commitment in documents.announcement["lists"].items():
        file = f"{name}.jsonl"
        words = LISTS.get(name, Both(name, name))
        heading = tag("a", words, href=file)
        rows.append(
            tag(
                "tr",
                tag("th", heading, scope="row"),
                tag("td", f"{commitment['size']:,}", class_="n"),
                tag("td", code(commitment["root"])),
            )
        )
    text = Both(
        sentence(
            "每份名录由一个散列树根（{kind}）固定：改动任何一行，树根就会不同。",
            kind=str(documents.announcement["suite"]).upper(),
        ),
        sentence(
            "Each list is fixed by the root of a hash tree ({kind}): change one row and the root differs.",
            kind=str(documents.announcement["suite"]).upper(),
        ),
    )
    headings = (Both("名录", "List"), Both("行数", "Rows"), Both("树根", "Root"))
    return join(tag("p", text), table(headings, rows))
