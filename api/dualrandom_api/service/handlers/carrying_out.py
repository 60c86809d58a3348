"""The jobs after a draw: changes by the engine, publishing findings, ending a draw, the daily look at deadlines."""

from __future__ import annotations

from dualrandom.relay import ask
from dualrandom.store.activity import SERVICE
from dualrandom.store.changing import carry_out
from dualrandom.store.deadlines import close, raise_alarms
from dualrandom.store.jobs import finish
from dualrandom.store.publishing import publish
from dualrandom.store.tables import Job
from dualrandom.store.visits import ensure_alarm
from dualrandom_api.service.handlers.draws import keeping_of
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.runner import HANDLERS

PROBLEMS = (
    ProblemType(
        "unknown-visit", 404, "没有这次检查，或不属于您", "there is no such visit, or it is not yours",
        "核对编号；列表中只有您可以看到的检查。", "Check the number; lists show what you may see.",
    ),
    ProblemType(
        "unknown-finding", 404, "没有这条检查结果，或不属于您", "there is no such finding, or it is not yours",
        "核对编号。", "Check the number.",
    ),
    ProblemType(
        "unknown-attachment", 404, "没有这个附件，或不属于您", "there is no such attachment, or it is not yours",
        "先上传附件。", "Upload it first.",
    ),
    ProblemType(
        "unknown-referral", 404, "没有这项移送，或不属于您", "there is no such referral, or it is not yours",
        "核对编号。", "Check the number.",
    ),
    ProblemType(
        "unknown-case", 404, "没有这次个案检查，或不属于您", "there is no such case visit, or it is not yours",
        "核对编号。", "Check the number.",
    ),
    ProblemType(
        "unknown-notice", 404, "没有这一年的节假日安排", "there is no notice of working days for this year",
        "导入该年的通知。", "Import that year's notice.",
    ),
    ProblemType(
        "finding-text-removed", 410, "文字已按决定移除", "the text was removed by order",
        "散列仍在，证明不受影响。", "Its hash remains; no proof is affected.",
    ),
    ProblemType(
        "foreign-department", 403, "只能办理本部门的事", "a department acts only for itself",
        "请该部门或调度员办理。", "Ask that department or a dispatcher.",
    ),
    ProblemType(
        "visit-cancelled", 409, "该检查对象已被排除", "the enterprise was excluded",
        "结果登记在递补的检查对象上。", "Findings belong to its substitute.",
    ),
    ProblemType(
        "visit-not-open", 409, "该次检查已进行、被排除或没有日期", "the visit was made, excluded, or has no date",
        "只有待执行的检查可以更改。", "Only a visit that is still to be made can be changed.",
    ),
    ProblemType(
        "date-is-drawn", 409, "日期由抽取确定，不能改到这一天", "dates are drawn: this day will not do",
        "只能延后到本次抽取的另一检查日，且企业营业、检查人员有空；否则更换人员或排除。",
        "Only another, later day of the draw will do, on which the enterprise is open and the crews are free.",
    ),
    ProblemType(
        "scan-code-wrong", 422, "通知书编号或入企码不正确", "the notice's number or the code is wrong",
        "核对通知书。", "Look at the notice.",
    ),
    ProblemType(
        "scan-locked", 409, "入企码错误次数过多", "too many wrong codes", "请检查组自行扫码。", "Let the crew scan in.",
    ),
    ProblemType(
        "scan-early", 409, "早于检查日期", "it is before the date of the visit",
        "检查不得早于公布的日期。", "A visit does not take place before its published day.",
    ),
    ProblemType(
        "finding-not-current", 409, "只有已公布的最新版本可以提出异议", "only the newest published version can be disputed",
        "对最新版本提出异议。", "Dispute the newest version.",
    ),
    ProblemType(
        "reason-missing", 422, "须写明理由", "a reason is needed", "用一句话写明。", "State it in a sentence.",
    ),
    ProblemType(
        "nothing-to-publish", 409, "没有待公布的检查结果", "there are no findings to publish",
        "先登记检查结果。", "Enter findings first.",
    ),
    ProblemType(
        "attachment-size", 422, "附件为空或过大", "the attachment is empty or too large",
        "压缩或拆分后再上传。", "Compress or divide it.",
    ),
    ProblemType(
        "draw-not-open", 409, "该抽取尚未执行，或已结束", "this draw has no result yet, or has ended",
        "已结束的抽取只能更正检查结果。", "Of a draw that has ended only findings can be corrected.",
    ),
    ProblemType(
        "change-reason", 422, "没有这个理由代码", "no such reason code", "可用的代码见文档。", "The documentation lists the codes.",
    ),
    ProblemType(
        "not-visited", 409, "该检查对象没有待执行的检查", "this enterprise has no visit that is in effect",
        "核对代码。", "Check its id.",
    ),
    ProblemType(
        "deregistered-is-a-finding", 409, "冻结与检查之间注销：这是检查结果", "deregistered before the visit: that is a finding",
        "按期登记检查结果 9（已注销）。", "Enter finding 9 (deregistered) on the date of the visit.",
    ),
    ProblemType(
        "substitute-pending", 409, "先前排除的递补轮次已到", "the round that decides about an earlier exclusion is out",
        "先完成递补，再排除。", "The substitute comes first; exclude after it.",
    ),
    ProblemType(
        "already-inspected", 409, "已登记检查结果，不能再更改这次检查", "findings were entered: the visit cannot be changed",
        "结果有误的，更正结果。", "Correct wrong findings.",
    ),
    ProblemType(
        "not-in-crew", 409, "此人不在该次检查的检查组中，或不属于您的部门", "is in no crew of this visit, or not of your department",
        "核对人员编号。", "Check the inspector's code.",
    ),
    ProblemType(
        "nothing-pending", 409, "没有等待信标的递补", "no substitute is waiting for a round",
        "先排除检查对象。", "Exclude an enterprise first.",
    ),
    ProblemType(
        "not-in-the-draw", 409, "该部门不在本次抽取中", "this department has no part in the draw",
        "核对部门。", "Check the department.",
    ),
    ProblemType(
        "already-withdrawn", 409, "该部门已退出，或退出待公布",
        "this department has withdrawn, or its withdrawal waits to be published",
        "不必再做。", "There is nothing left to do.",
    ),
    ProblemType(
        "day-not-announced", 422, "不是本次抽取的检查日", "is not one of the draw's days",
        "用公告的日期，或不写。", "Use an announced day, or leave it out.",
    ),
    ProblemType(
        "withdrawal-too-early", 409, "该日已经过去", "this day is over",
        "从今天或以后某日起退出；更早的检查如实登记结果。", "Withdraw from today or later; of earlier visits enter the findings.",
    ),
    ProblemType(
        "no-crew-left", 409, "该部门此后没有检查组", "the department has no crew from then on",
        "没有检查组的部门无须退出。", "A department without crews need not withdraw.",
    ),
    ProblemType(
        "under-embargo", 409, "保密期内不能更改", "nothing can be changed under an embargo",
        "全部启封后再更改；预计会有更改的，公告时不用 embargo。",
        "Change after everything has been opened; where changes are expected, announce without embargo.",
    ),
    ProblemType(
        "findings-missing", 409, "还有检查结果没有公布", "findings are not published yet",
        "先完成，再结束抽取。", "Complete them first.",
    ),
    ProblemType(
        "changes-pending", 409, "还有未完成的更改", "a change or a substitute is still pending",
        "等待其完成。", "Wait for it.",
    ),
    ProblemType(
        "not-a-violation", 409, "只有已公布的违法问题可以移送", "only a published violation can be referred",
        "先公布检查结果。", "Publish the finding first.",
    ),
    ProblemType(
        "already-referred", 409, "已经移送", "it was referred already", "修改已有的移送。", "Change the referral that is there.",
    ),
    ProblemType(
        "case-number-taken", 409, "案号已用于另一项移送", "this case number belongs to another referral",
        "核对案号。", "Check the case number.",
    ),
    ProblemType(
        "not-offered", 409, "没有可以合并的这次检查", "this visit is not on offer for joining",
        "可合并的检查见 offers。", "Look at the offers of the case visit.",
    ),
    ProblemType(
        "case-ended", 409, "该个案检查已结束", "this case visit has ended", "不必再做。", "There is nothing left to do.",
    ),
    ProblemType(
        "unknown-enterprise", 422, "检查对象名录库中没有此代码", "the library has no such enterprise",
        "核对后再提交。", "Check it and send it again.",
    ),
    ProblemType(
        "unknown-item", 422, "事项清单中没有此事项", "the item list has no such item",
        "核对后再提交。", "Check it and send it again.",
    ),
    ProblemType(
        "unknown-inspector", 422, "本部门没有这些检查人员", "the department has no such inspectors",
        "核对后再提交。", "Check it and send it again.",
    ),
    ProblemType(
        "date-in-future", 422, "日期在将来", "the date lies in the future", "检查之后再登记。", "Enter it after the visit.",
    ),
    ProblemType(
        "notice-year-differs", 422, "通知的年份与地址不符", "the notice is about another year",
        "每次导入一年。", "Import one year at a time.",
    ),
    ProblemType(
        "parquet-unavailable", 501, "未安装 parquet 支持", "this installation cannot write parquet",
        '安装 dualrandom[scale]，或用 csv、xlsx。', "Install dualrandom[scale], or take csv or xlsx.",
    ),
    ProblemType(
        "no-export", 404, "尚无此导出", "there is no such export yet", "抽取之后才有。", "It is there after the draw.",
    ),
)  # fmt: skip


def _change(service: Service, job: Job) -> None:
    carry_out(
        keeping_of(service),
        job,
        now=service.clock(),
        fetch=lambda wanted: ask(wanted, service.settings.relays),
    )


def _findings(service: Service, job: Job) -> None:
    publish(keeping_of(service), job, service.clock())


def _close(service: Service, job: Job) -> None:
    now = service.clock()
    with service.database.writing() as session:
        statistics = close(session, job.subject, actor=SERVICE, now=now)
        finish(session, job, now, result=dict(statistics))


def _alarm(service: Service, job: Job) -> None:
    now = service.clock()
    with service.database.writing() as session:
        counts = raise_alarms(session, now)
        ensure_alarm(session, now)
        finish(session, job, now, result=dict(counts))


HANDLERS["change"] = _change
HANDLERS["findings"] = _findings
HANDLERS["close"] = _close
HANDLERS["alarm"] = _alarm
