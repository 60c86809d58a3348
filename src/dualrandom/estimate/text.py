"""The estimates of a draw as text for people, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dualrandom.errors import Language
from dualrandom.page.words import FINDING_CODES

_REASONS = {
    "no-quota": {"zh": "名额为零", "en": "no quota"},
    "rounded-to-zero": {"zh": "本次取整后为零", "en": "rounded to zero this time"},
    "nothing-recorded": {"zh": "抽中者尚无检查结果", "en": "nothing recorded of those drawn"},
}
_INTERVALS = {
    "normal": {"zh": "正态近似", "en": "normal"},
    "korn-graubard": {"zh": "小样本精确法（Korn–Graubard）", "en": "exact for few cases (Korn–Graubard)"},
    "census": {"zh": "全部检查", "en": "all were checked"},
}


def render_estimate(
    document: Mapping[str, Any], language: Language, labels: Mapping[str, Any] | None = None
) -> str:
    """Return lines of text, the last one ended by a newline. ``labels``: labels.json, for names instead of ids."""
    return "\n".join(_lines(document, _Words(language, labels or {}))) + "\n"


class _Words:
    """One language, and the names of tasks, districts and items in it."""

    def __init__(self, language: Language, labels: Mapping[str, Any]) -> None:
        self.language = language
        self.labels = labels

    def __call__(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def name(self, kind: str, name: str) -> str:
        label = self.labels.get(kind, {}).get(name)
        return name if label is None else f"{label[self.language]} ({name})"


def percent(value: str) -> str:
    """Return a decimal share as a percentage.

    >>> percent("0.012345")
    '1.23 %'
    """
    return f"{float(value) * 100:.2f} %"


def _lines(document: Mapping[str, Any], words: _Words) -> Iterator[str]:
    share = f"{float(document['confidence']) * 100:g} %"
    yield words(
        f"抽取 {document['draw']}：由随机抽查结果推断全体企业的违法率，置信度 {share}",
        f"Draw {document['draw']}: rates of violation among all enterprises, from the random inspections, confidence {share}",
    )
    yield words(
        "违法 = 2–5、8、A–E；6、7、9（无法联系、关闭、注销）和 F（未开展所检查的经营活动）无可检查，另行估计，不计入违法率的分母。",
        "Violation = 2–5, 8 and A–E; 6, 7, 9 (not reached, closed, deregistered) and F (did not carry on the activity) left nothing to check: estimated "
        "apart, not part of the rate.",
    )
    if document["outside"]:
        yield words(
            f"另有 {document['outside']} 条结果不属于被抽中的企业，非随机，未采用。",
            f"Not used, because these enterprises were not drawn: findings {document['outside']}.",
        )
    for task in document["tasks"]:
        yield ""
        yield from _task(task, words)


def _task(task: Mapping[str, Any], words: _Words) -> Iterator[str]:
    yield words("任务 ", "Task ") + words.name("tasks", task["task"])
    yield _row(words("合计", "total"), task["total"], words)
    for entry in task["classes"]:
        yield _row(words(f"类别 {entry['class']}", f"class {entry['class']}"), entry, words)
    for entry in task["districts"]:
        yield _row(words.name("districts", entry["district"]), entry, words)
    if len(task["items"]) > 1:
        for entry in task["items"]:
            yield _row(words.name("items", entry["item"]), entry, words)
    total = task["total"]
    for code, count in total["codes"].items():
        meaning = FINDING_CODES.get(code)
        words_of = ("", "") if meaning is None else (meaning.zh, meaning.en)
        yield words(f"  结果 {code} {words_of[0]}：{count} 项", f"  finding {code}, {words_of[1]}: {count}")
    missed = ", ".join(f"{code}: {count}" for code, count in total["missed"].items() if count)
    if missed:
        yield words(
            f"  无可检查（{missed}），估计占 {percent(total['missed_rate'])}",
            f"  nothing to check ({missed}), estimated share {percent(total['missed_rate'])}",
        )
    if total["pending"]:
        yield words(
            f"  {total['pending']} 家抽中企业尚无结果：推断时假定其与同层其他企业无异",
            f"  drawn, without a finding yet: {total['pending']}; taken to be like the others of their stratum",
        )
    if total["excluded"]:
        yield words(
            f"  抽取后剔除 {total['excluded']} 家，由递补企业代表其所在层",
            f"  excluded after the draw: {total['excluded']}; substitutes speak for their strata",
        )
    if total["unfilled"]:
        yield words(
            f"  {total['unfilled']} 家因部门退出无人检查：推断时假定其与同层其他企业无异",
            f"  not visited, the department withdrew: {total['unfilled']}; taken to be like the others of their stratum",
        )
    for stratum in task["strata"]:
        if stratum["not_estimable"]:
            reason = _REASONS[stratum["not_estimable"]][words.language]
            yield words(
                f"  层 {stratum['id']}（{stratum['size']} 家）无法推断：{reason}",
                f"  nothing can be said of stratum {stratum['id']} ({stratum['size']} enterprises): {reason}",
            )
    for group in task["collapsed"]:
        yield words(
            f"  层 {'、'.join(group)} 各只有一家或与之相邻，方差用合并层估计（偏大）",
            f"  strata {', '.join(group)}: a single enterprise shows no variance; collapsed strata (too large rather than too small)",
        )


def _row(name: str, entry: Mapping[str, Any], words: _Words) -> str:
    if entry["rate"] is None:
        return words(f"  {name}：无法推断", f"  {name}: nothing can be said")
    counts = words(
        f"检查 {entry['checked']} 家，违法 {entry['violations']} 家",
        f"{entry['violations']} of {entry['checked']} checked",
    )
    codes = ", ".join(f"{code}: {count}" for code, count in entry["codes"].items())
    counts += words(f"；各结果项数 {codes}", f"; findings {codes}") if codes else ""
    interval = _INTERVALS[entry["interval"]][words.language]
    covered = ""
    if entry["covered"] < entry["frame"]:
        covered = words(
            f"；只代表 {entry['frame']} 家中的 {entry['covered']} 家",
            f"; speaks for {entry['covered']} of {entry['frame']} enterprises",
        )
    low, high = percent(entry["low"]), percent(entry["high"])
    return words(
        f"  {name}：违法率 {percent(entry['rate'])}，区间 {low} – {high}（{interval}）；{counts}{covered}",
        f"  {name}: {percent(entry['rate'])}, interval {low} – {high} ({interval}); {counts}{covered}",
    )
