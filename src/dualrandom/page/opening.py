"""The head of the page: what this is, what one must know before reading it, and the figures at a glance."""

from __future__ import annotations

from dualrandom.page.documents import Documents
from dualrandom.page.markup import Both, Html, code, join, paragraph, sentence, tag
from dualrandom.page.words import local_time


def title(documents: Documents) -> Both:
    """Return the title of the page."""
    name = documents.authority
    return Both(f"{name.zh}：双随机抽查公示", f"{name.en}: public record of a random inspection draw")


def opening(documents: Documents) -> Html:
    """Return the header with title, state and key figures."""
    announcement = documents.announcement
    zone = str(announcement["timezone"])
    period = announcement["period"]
    facts = tag(
        "p",
        Both("抽查批次", "Draw"),
        " ",
        code(documents.draw),
        Html(" &middot; "),
        Both("检查期间", "period"),
        f" {period['start']} – {period['end']} ",
        Both(f"（时区 {zone}）", f"(time zone {zone})"),
        class_="note",
    )
    return tag(
        "header",
        tag("h1", title(documents)),
        facts,
        _state(documents),
        *_banners(documents),
        _figures(documents),
    )


def contents() -> Html:
    """Return the table of contents; every section is there in every state."""
    entries = (
        ("plan", Both("抽查计划", "Plan")),
        ("seed", Both("种子与随机性", "Seed and randomness")),
        ("check", Both("自行核对", "Check it yourself")),
        ("visits", Both("检查名单与结果", "Visits and findings")),
        ("items", Both("抽查事项", "Items")),
        ("statistics", Both("统计", "Statistics")),
        ("limits", Both("未证明的事项", "What is not proven")),
        ("documents", Both("原始文件", "Documents")),
    )
    links = (tag("li", tag("a", words, href=f"#{anchor}")) for anchor, words in entries)
    return tag("nav", tag("ul", *links), class_="contents", aria_label="目录 Contents")


def _state(documents: Documents) -> Html:
    zone = str(documents.announcement["timezone"])
    due = local_time(documents.announcement["beacon"]["time"], zone)
    warned = documents.labels.get("rehearsal") or documents.announcement["beacon"]["kind"] == "local"
    if documents.void is not None or warned:
        return Html("")
    if documents.result is None:
        return paragraph(
            f"规则、名录承诺与名额已经固定并公布，随机数尚未产生，将于 {due} 产生。"
            "此前任何人都无法预知抽取结果。",
            "Rules, commitments to the lists and quotas are fixed and published. The randomness does not "
            f"exist yet: it is due at {due}. "
            "Until then nobody can know who will be drawn.",
            "lead",
        )
    return paragraph(
        "先公布规则和名录承诺，后产生随机数；检查对象和检查人员都由同一种子唯一确定。"
        "任何人都可以用本页文件重新计算并核对。",
        "The rules and the commitments to the lists were fixed first, the randomness came afterwards; one "
        "seed determines both the enterprises "
        "and the inspectors. Anybody can recompute it from the documents on this page.",
        "lead",
    )


def _banners(documents: Documents) -> list[Html]:
    banners = []
    if documents.void is not None:
        zone = str(documents.announcement["timezone"])
        reason = tag("span", str(documents.void["reason"]))
        banners.append(
            _banner(
                Both("本次抽取已作废", "This draw is void"),
                Both(
                    sentence(
                        "作废时间：{t}。理由：{r}", t=local_time(documents.void["time"], zone), r=reason
                    ),
                    sentence(
                        "Voided at {t}. Reason: {r}", t=local_time(documents.void["time"], zone), r=reason
                    ),
                ),
                bad=True,
            )
        )
    if documents.labels.get("rehearsal"):
        banners.append(
            _banner(
                Both("演练：不得作为真实抽取使用", "Rehearsal: not a real draw"),
                Both(
                    "发布公告时，随机数轮次已为人所知，因此结果可以事先算出。",
                    "The round of the randomness was already known when the draw was announced, so its "
                    "outcome could be computed beforehand.",
                ),
                bad=True,
            )
        )
    if documents.announcement["beacon"]["kind"] == "local":
        banners.append(
            _banner(
                Both("随机数由操作者的计算机产生", "The randomness was chosen by the operator's machine"),
                Both(
                    "没有公开信标，外人无法排除随机数经过挑选。仅供开发和试用。",
                    "There is no public beacon: nobody can rule out that the randomness was picked to suit. "
                    "For development and trials only.",
                ),
                bad=True,
            )
        )
    if documents.embargo != "none" and documents.result is not None and documents.void is None:
        what = (
            Both(
                "检查日期和检查人员在检查当天公开。",
                "Dates and inspectors are opened on the day of each visit.",
            )
            if documents.embargo == "crews"
            else Both("检查名单在检查当天逐户公开。", "Visits are opened one by one on their day.")
        )
        banners.append(
            _banner(
                Both("部分内容暂缓公开", "Some of this is under embargo"),
                Both(
                    f"{what.zh}其内容已由结果文件中的承诺固定，不能再改。",
                    f"{what.en} They are already fixed by the commitment in the result and cannot be "
                    "changed.",
                ),
            )
        )
    earlier = documents.announcement["voids"]
    if earlier:
        banners.append(
            _banner(
                Both("同一计划此前有作废的抽取", "Earlier draws of this plan were voided"),
                join(*(join(" ", code(draw)) for draw in earlier)),
            )
        )
    return banners


def _banner(heading: Both, text: Both | Html, bad: bool = False) -> Html:
    return tag("div", tag("strong", heading), text, class_="banner bad" if bad else "banner", role="note")


def _figures(documents: Documents) -> Html:
    lists = documents.announcement["lists"]
    figures: list[tuple[Both, str]] = [
        (Both("参与抽取的企业", "Enterprises in the frame"), _thousands(lists["frame"]["size"])),
        (Both("检查人员", "Inspectors"), _thousands(lists["roster"]["size"])),
    ]
    result, statistics = documents.result, documents.statistics
    if result is None:
        figures.append((Both("抽查任务", "Tasks"), _thousands(len(documents.tasks))))
        figures.append(
            (Both("可安排的日期", "Days available"), _thousands(len(documents.announcement["days"])))
        )
    else:
        totals = result["totals"]
        figures.append((Both("上门检查", "Visits"), _thousands(totals["visits"])))
        figures.append((Both("检查项", "Checks"), _thousands(totals["checks"])))
        if statistics is not None:
            overlap = statistics["overlap"]
            figures.append(
                (Both("少上门次数", "Visits saved"), _thousands(overlap["alone"] - totals["visits"]))
            )
        if totals["undated"]:
            figures.append((Both("未能排期", "Without a date"), _thousands(totals["undated"])))
    return tag(
        "dl", *(tag("div", tag("dt", words), tag("dd", value)) for words, value in figures), class_="figures"
    )


def _thousands(number: int) -> str:
    return f"{number:,}"
