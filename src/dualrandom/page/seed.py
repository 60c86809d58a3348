"""Seed, beacon evidence, and how to check a ticket by hand (docs/protocol.md §4–6)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dualrandom.page.documents import Documents, frame_profile
from dualrandom.page.markup import Both, Html, code, join, paragraph, sentence, tag
from dualrandom.page.words import local_time
from dualrandom.ticket import Tickets

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""Chain hash of drand's quicknet, the chain that the protocol pins."""

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{64}")


def seed(documents: Documents) -> Html:
    """Return the section on where the randomness came from."""
    heading = tag("h2", Both("种子与随机性", "Seed and randomness"), id="seed")
    parts: list[Html] = []
    if documents.void is not None and documents.result is None:
        parts.append(paragraph("本次抽取已作废，没有种子。", "This draw is void; it has no seed."))
    elif documents.result is None:
        parts.append(
            paragraph(
                "种子尚未产生。它将由公告的散列值、公开信标的随机数和各方事先承诺的随机贡献共同决定。",
                "There is no seed yet. It will be determined by the announcement's digest, the beacon's "
                "randomness and the parties' committed nonces.",
            )
        )
    else:
        parts.append(tag("pre", str(documents.result["seed"])))
        parts.append(
            paragraph(
                "种子是下面这段文字（seed.txt）的散列值。除随机数（randomness）外，各项均已由公告固定。",
                "The seed is the digest of this text (seed.txt). The announcement fixed all of it "
                "but the randomness.",
            )
        )
        if documents.seed_text is not None:
            parts.append(tag("pre", documents.seed_text.rstrip("\n")))
    return tag(
        "section",
        heading,
        *parts,
        tag("h3", Both("随机信标", "Beacon")),
        _beacon(documents),
        _contributions(documents),
    )


def _beacon(documents: Documents) -> Html:
    announced = documents.announcement["beacon"]
    zone = str(documents.announcement["timezone"])
    facts: list[Html] = []

    def fact(words: Both, value: Html | str) -> None:
        facts.extend((tag("dt", words), tag("dd", value)))

    fact(Both("种类", "Kind"), code(announced["kind"]))
    fact(Both("来源", "Source"), code(announced["source"]))
    fact(Both("轮次", "Round"), code(announced["round"]))
    fact(Both("产生时间", "Due"), local_time(announced["time"], zone))
    evidence = documents.beacon
    if evidence is not None:
        fact(Both("随机数", "Randomness"), code(evidence["randomness"]))
        if evidence["signature"]:
            fact(Both("签名", "Signature"), code(evidence["signature"]))
        if evidence["keystring"]:
            fact(Both("来源原文", "Key string"), code(evidence["keystring"]))
    return join(tag("dl", *facts, class_="facts"), _explanation(announced))


def _explanation(announced: Mapping[str, str]) -> Html:
    if announced["kind"] == "drand":
        text = paragraph(
            "drand 由多家互不隶属的机构共同运行，定时产生随机数；每个随机数都是对轮次的一个签名，"
            "只有足够多的机构合作才能生成，"
            "任何人都可以用公钥验证，没有人能够选择或预知它。",
            "drand is run jointly by independent organisations and emits randomness at fixed times. Each "
            "value is a signature of the round that "
            "only enough of them together can make; anybody can verify it with the public key, and nobody "
            "can choose or foresee it.",
        )
        if announced["source"] != QUICKNET or not announced["round"].isdigit():
            return text
        address = f"https://api.drand.sh/{announced['source']}/public/{announced['round']}"
        where = Both(
            sentence("可与 drand 网络公布的同一轮次对照：{a}", a=code(address)),
            sentence(
                "Compare it with the same round as the drand network publishes it: {a}", a=code(address)
            ),
        )
        return join(text, tag("p", where, class_="note"))
    if announced["kind"] == "keystring":
        return paragraph(
            "随机数取自事先指定的公开开奖号码或指数，其原文的散列值即随机数。本页不能证明原文属实，"
            "请与官方公布的号码核对。",
            "The randomness is the digest of a public lottery result or index that was named beforehand. "
            "This page cannot prove the text "
            "genuine: compare it with the official publication.",
        )
    return paragraph(
        "随机数由操作者的计算机产生，没有任何外部证据。",
        "The randomness comes from the operator's machine; there is no outside evidence for it.",
    )


def _contributions(documents: Documents) -> Html:
    contributions = documents.announcement["contributions"]
    if not contributions:
        return Html("")
    text = paragraph(
        "为防止信标运行方与任何一方串通，下列各方在公告前各自承诺了一个随机贡献。未公开者以其承诺代替，"
        "因此无人能以沉默阻止或改变抽取。",
        "As a guard against collusion with the beacon's operators, these parties committed to a nonce of "
        "their own before the announcement. One that is "
        "withheld is replaced by its commitment, so nobody can stop or change the draw by silence.",
    )
    rows = [
        tag(
            "tr",
            tag(
                "th",
                documents.name("departments", c["party"]),
                " ",
                tag("span", c["party"], class_="id"),
                scope="row",
            ),
            tag("td", code(c["commitment"])),
        )
        for c in contributions
    ]
    head = tag(
        "tr",
        tag("th", Both("参与方", "Party"), scope="col"),
        tag("th", Both("承诺", "Commitment"), scope="col"),
    )
    return join(
        tag("h3", Both("各方的随机贡献", "Contributions")),
        text,
        tag("div", tag("table", tag("thead", head), tag("tbody", *rows)), class_="box"),
    )


def check(documents: Documents, files: Mapping[str, bytes]) -> Html:
    """Return the section on checking one ticket by hand and everything with the software."""
    announcement = documents.announcement
    tool = "sha256sum" if announcement["suite"] == "sha256" else "openssl dgst -sm3"
    parts = [tag("h2", Both("自行核对", "Check it yourself"), id="check")]
    if documents.result is not None and _HEX.fullmatch(str(documents.result["seed"])):
        parts += _by_hand(documents, files, tool)
    parts += [
        tag("h3", Both("用软件核对全部内容", "Everything, with the software")),
        paragraph(
            "安装 dualrandom，下载本目录的全部文件，然后运行下面的命令。"
            "它逐项报告“通过”“不通过”或“未检查”及其理由，不需要联网，也不使用作出抽取的程序。",
            "Install dualrandom, download all documents of this folder and run this. It reports PASS, FAIL "
            "or NOT CHECKED for each check with the reason; "
            "it needs no network and shares no decision with the software that drew.",
        ),
        tag("pre", "dualrandom verify ."),
    ]
    if documents.sealed:
        parts.append(
            paragraph(
                "密封抽取中，企业的签号含有其名录行的盐值，公告前即已固定，但不公开：否则任何人都能推算企业的信用风险分类。"
                "审计方持有全部盐值，核对全部抽取；企业取得自己那一行的打开值后，可以核对自己。",
                "In a sealed draw an enterprise's ticket contains the salt of its row, which was fixed before the "
                "announcement but is not public: with it anybody could infer credit classes. The auditor holds all "
                "salts and checks the whole draw; an enterprise that is given the opening of its row can check itself.",
            )
        )
    return tag("section", *parts)


def _by_hand(documents: Documents, files: Mapping[str, bytes], tool: str) -> list[Html]:
    assert documents.result is not None
    value = str(documents.result["seed"])
    parts = [
        tag("h3", Both("手工核对一个签号", "One ticket, by hand")),
        paragraph(
            "先核对种子（在 seed.txt 所在目录运行，应得到下一行）：",
            "First the seed (run this in the folder of seed.txt and you get the line below):",
        ),
        tag("pre", f"{tool} seed.txt"),
        tag("pre", value, class_="out"),
    ]
    stage, name, meaning = _example(documents)
    if name:
        ticket = Tickets(value, str(documents.announcement["suite"])).hex(stage, name)
        parts += [
            tag("p", meaning),
            tag("pre", f"printf '%s' '{value}:{stage}:{name}' | {tool}"),
            tag("pre", ticket, class_="out"),
            *_compared(documents, files, name, ticket, stage),
        ]
    parts.append(
        paragraph(
            "在 macOS 上以 shasum -a 256 代替 sha256sum。"
            if tool == "sha256sum"
            else "需要支持 SM3 的 OpenSSL。",
            "On macOS use shasum -a 256 for sha256sum."
            if tool == "sha256sum"
            else "This needs an OpenSSL that has SM3.",
            "note",
        )
    )
    return parts


def _example(documents: Documents) -> tuple[str, str, Both]:
    """Return stage, id and introduction of a ticket that the public can compute; no id if there is none."""
    assert documents.result is not None
    attempt = documents.result["attempt"]
    if not documents.sealed:
        for selection in documents.result["selection"] or ():
            if selection["selected"] and _ID.fullmatch(selection["selected"][0]):
                enterprise = selection["selected"][0]
                label = documents.name("enterprises", enterprise)
                return (
                    "enterprise",
                    enterprise,
                    Both(
                        f"再核对一家被抽中的企业，例如“{label.zh}”：",
                        f"Then one selected enterprise, for instance “{label.en}”:",
                    ),
                )
    for visit in documents.visits:
        for crew in visit.crews or ():
            name = f"{visit.enterprise}:{crew.department}:{crew.seats[0]}" if crew.seats else ""
            if name and all(map(_ID.fullmatch, name.split(":"))):
                label = documents.name("enterprises", visit.enterprise)
                return (
                    "pair" if not attempt else f"pair.{attempt}",
                    name,
                    Both(
                        f"再核对一名检查人员与一次检查的配对签号，例如“{label.zh}”的检查组：",
                        "Then the pair ticket of an inspector and a visit, for instance of the crew for "
                        f"{label.en}:",
                    ),
                )
    own = [
        task_id
        for task_id, task in documents.tasks.items()
        if task["mode"] == "own" and task["control"] == "one-way" and _ID.fullmatch(task_id)
    ]
    if own:
        label = documents.name("tasks", own[0])
        return (
            "rounding",
            own[0],
            Both(
                f"再核对任务“{label.zh}”的取整签号：", f"Then the rounding ticket of the task “{label.en}”:"
            ),
        )
    return "", "", Both("", "")


def _compared(
    documents: Documents, files: Mapping[str, bytes], name: str, ticket: str, stage: str
) -> list[Html]:
    """Say what the ticket means for the outcome."""
    if stage == "enterprise":
        profiles = {p["id"]: p["strata"] for p in documents.announcement["profiles"] or ()}
        strata = profiles.get(frame_profile(files, name) or "", {})
        assert documents.result is not None
        for selection in documents.result["selection"]:
            mine = strata.get(selection["task"])
            cutoffs = {s["id"]: s["cutoff"] for s in selection["strata"] or ()}
            if name in selection["selected"] and cutoffs.get(mine):
                task = documents.name("tasks", selection["task"])
                return [
                    tag(
                        "p",
                        Both(
                            sentence(
                                "在任务“{t}”中它属于层 {s}，该层的分界签号是 {c}。签号不大于分界签号者抽中。",
                                t=task.zh,
                                s=code(str(mine)),
                                c=code(cutoffs[mine]),
                            ),
                            sentence(
                                "For the task “{t}” it is in stratum {s}, whose cutoff is {c}. Whoever's "
                                "ticket is not greater is selected.",
                                t=task.en,
                                s=code(str(mine)),
                                c=code(cutoffs[mine]),
                            ),
                        ),
                    )
                ]
        return []
    if stage == "rounding":
        return [
            paragraph(
                f"它决定带小数的名额向上还是向下取整（{ticket[:8]}… 除以 2^256）。",
                f"It decides whether fractional quotas are rounded up or down ({ticket[:8]}… divided by "
                "2^256).",
            )
        ]
    return [
        paragraph(
            f"前 10 位（{ticket[:10]}）是这一配对的代价；配对方案是在回避、资格、"
            "日期和上限之内总代价最小的唯一方案，结果文件中的价格证明了这一点。",
            f"Its first 10 digits ({ticket[:10]}) are the cost of this pair. The crews are the one filling "
            "of all seats with the least total cost within "
            "recusals, marks, dates and caps; the prices in the result prove it.",
        )
    ]
