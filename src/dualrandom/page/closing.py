"""The end of the page: what it does not prove, and the documents themselves (docs/protocol.md §11, 12)."""

from __future__ import annotations

from urllib.parse import quote

from dualrandom.page.documents import Documents
from dualrandom.page.markup import Both, Html, bullets, code, join, paragraph, row, table, tag

_CONTENT = {
    "announcement.json": Both("抽取公告", "announcement"),
    "frame.jsonl": Both("抽样框", "frame"),
    "roster.jsonl": Both("检查人员名录", "roster"),
    "recusals.jsonl": Both("回避关系", "recusals"),
    "strata.jsonl": Both("分层（密封）", "strata (sealed)"),
    "beacon.json": Both("信标证据", "beacon evidence"),
    "seed.txt": Both("种子原文", "text of the seed"),
    "result.json": Both("抽取结果", "result"),
    "statistics.json": Both("统计", "statistics"),
    "labels.json": Both("名称", "names"),
    "cutoffs.jsonl": Both("分界签号（密封）", "cutoffs (sealed)"),
    "visits.jsonl": Both("检查名单（暂缓公开）", "visits (embargo)"),
    "openings.jsonl": Both("已公开的密封内容", "openings"),
    "ties.json": Both("并列方案的证据", "evidence of ties"),
    "changes.jsonl": Both("抽取后的更改", "changes after the draw"),
    "findings.json": Both("检查结果", "findings"),
    "attest.json": Both("审计证明", "the auditor's attestation"),
    "void.json": Both("作废声明", "void"),
}


def limits(documents: Documents) -> Html:
    """Return the section that says honestly what a reader cannot conclude."""
    entries = [
        Both(
            "公告先于随机数发布：只有见证方在轮次之前联署的透明日志（dualrandom verify 会说明本记录有无），"
            "或读者自己保存的公告副本，才能证明。",
            "That the announcement came before the randomness: only a transparency log that witnesses cosigned before "
            "the round shows it (dualrandom verify says whether this record has one), or a copy of the announcement "
            "that you kept yourself.",
        ),
        Both(
            "没有第二份不同的公告或结果：同样需要透明日志。",
            "That no second, different announcement or result exists: this needs the log as well.",
        ),
        Both(
            "名录本身属实：虚假登记、错误的分类、事先泄露的名录、各部门共同串通，任何抽取方法都不能发现。",
            "That the lists are true: no method of drawing reveals a false register, wrong classes, a "
            "leaked list, or all departments colluding.",
        ),
        Both(
            "检查确实按此进行：检查结果由各部门填报。",
            "That the visits took place as drawn: findings are what departments report.",
        ),
    ]
    if documents.sealed:
        entries.insert(
            2,
            Both(
                "密封部分（名额、分层、抽中与否、回避、日期）正确：公众看到的是承诺，只有审计方能核对。",
                "That the sealed parts (quotas, strata, selection, recusals, dates) are right: the public sees "
                "commitments, only the auditor can check them.",
            ),
        )
    kind = documents.announcement["beacon"]["kind"]
    if kind == "local":
        entries.insert(0, Both("随机数未经挑选。", "That the randomness was not picked to suit."))
    elif kind == "keystring":
        entries.insert(
            0, Both("公开号码的原文属实。", "That the text of the public lottery result is genuine.")
        )
    return tag(
        "section", tag("h2", Both("未证明的事项", "What is not proven here"), id="limits"), bullets(entries)
    )


def raw_documents(documents: Documents) -> Html:
    """Return the section with links to every published file."""
    rows = []
    for name, size in documents.files.items():
        voided = name.startswith("voided/")
        words = _CONTENT.get(name.rsplit("/", 1)[-1], Both("–", "–"))
        if voided:
            words = Both(f"{words.zh}（已作废）", f"{words.en} (voided draw)")
        rows.append(row(tag("a", code(name), href=quote(name)), words, "–" if size is None else f"{size:,}"))
    headings = (Both("文件", "File"), Both("内容", "Content"), Both("字节", "Bytes"))
    digest = join(Both("公告散列值", "Digest of the announcement"), " ", code(documents.digest))
    return tag(
        "section",
        tag("h2", Both("原始文件", "Documents"), id="documents"),
        paragraph(
            "本页由下列文件生成，只供阅读；有出入时以文件为准。",
            "This page is made from these documents for reading; where they differ, the documents hold.",
        ),
        tag("p", digest),
        table(headings, rows),
    )


def footer(documents: Documents) -> Html:
    """Return the footer with the software that made the record."""
    software = documents.announcement["software"]
    made = f"{software['name']} {software['version']}"
    return tag("footer", paragraph(f"抽取软件：{made}", f"Drawn with {made}", "note"))
