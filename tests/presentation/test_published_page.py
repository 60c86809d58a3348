"""The page for people: complete in both languages, inert whatever a name says, honest about what it shows."""

import hashlib
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError
from dualrandom.page import render_index
from dualrandom.page.style import STYLE

Draw = Callable[..., dict[str, bytes]]
VOID = {"meta", "input", "br", "link", "img", "hr", "col"}
HOSTILE = "</td><script>alert('x')</script><img src=x onerror=alert(1)>\"'&amp;\u202e=cmd|' /C calc'!A0\x00"
STATES: dict[str, dict[str, Any]] = {
    "announced": {"only": ("announcement.json",)},
    "open": {},
    "sealed": {"disclosure": "sealed"},
    "embargoed crews": {"disclosure": "sealed", "embargo": "crews"},
    "embargoed visits": {"disclosure": "sealed", "embargo": "visits"},
    "open embargoed visits": {"embargo": "visits"},
}


class Outline(HTMLParser):
    """Elements, texts by language, and whether every element is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"zh": [], "en": [], "": []}
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) != len(attrs):
            self.faults.append(f"attribute twice in {tag}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop()[0] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        languages = [
            attributes["lang"] for _, attributes in self.stack if attributes.get("lang") in {"zh", "en"}
        ]
        self.texts[str(languages[-1]) if languages and len(self.stack) > 1 else ""].append(data)

    def text(self) -> str:
        return " ".join(data for texts in self.texts.values() for data in texts)


def outline(page: bytes) -> Outline:
    parsed = Outline()
    parsed.feed(page.decode())
    parsed.close()
    assert parsed.faults == []
    assert parsed.stack == []
    return parsed


@pytest.mark.parametrize("state", STATES)
def test_every_state_gives_a_well_formed_page_with_the_same_sections(draw: Draw, state: str) -> None:
    parsed = outline(render_index(draw(**STATES[state])))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"plan", "seed", "check", "visits", "items", "statistics", "limits", "documents"} <= set(ids)
    targets = {str(a["href"])[1:] for _, a in parsed.elements if str(a.get("href", "")).startswith("#")}
    assert targets <= set(ids)


@pytest.mark.parametrize("state", STATES)
def test_a_page_loads_and_runs_nothing(draw: Draw, state: str) -> None:
    page = render_index(draw(**STATES[state]))
    for name, attributes in outline(page).elements:
        assert name not in {"script", "link", "iframe", "object", "img", "base", "form", "embed"}
        assert not any(key.startswith("on") or key in {"src", "style", "srcset"} for key in attributes)
        assert (
            not str(attributes.get("href", ""))
            .lower()
            .startswith(("http:", "https:", "//", "javascript:", "data:"))
        )
    style = re.search(rb"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert b"url(" not in style[1]
    assert b"@import" not in style[1]


def test_the_policy_admits_the_style_of_the_page_and_nothing_else(draw: Draw) -> None:
    page = render_index(draw())
    style = re.search(rb"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = b64encode(hashlib.sha256(style[1]).digest()).decode()
    policies = [
        str(a["content"])
        for _, a in outline(page).elements
        if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert f"style-src 'sha256-{digest}';" in policies[0]
    assert "unsafe" not in policies[0]


@pytest.mark.parametrize("state", STATES)
def test_the_same_documents_give_the_same_bytes_in_any_order(draw: Draw, state: str) -> None:
    files = draw(**STATES[state])
    backwards = dict(reversed(files.items()))
    assert render_index(files) == render_index({**backwards, "index.html": b"an earlier page"})


def test_hostile_names_stay_text_wherever_they_stand(draw: Draw) -> None:
    def poison(values: dict[str, dict[str, Any]]) -> None:
        labels = values["labels.json"]
        for kind in ("departments", "districts", "enterprises", "inspectors", "items", "tasks"):
            for label in labels[kind].values():
                label["zh"] = label["en"] = HOSTILE
                if "basis" in label:
                    label["basis"] = HOSTILE
        labels["authority"] = {"en": HOSTILE, "zh": HOSTILE}
        values["announcement.json"]["software"]["name"] = HOSTILE
        values["findings.json"]["findings"][2]["reason"] = HOSTILE
        values["statistics.json"]["excluded"][0]["reason"] = HOSTILE

    page = render_index(draw(change=poison))
    parsed = outline(page)
    assert not any(name in {"script", "img"} for name, _ in parsed.elements)
    assert b"<script" not in page
    assert b"\x00" not in page
    assert parsed.text().count("<script>alert('x')</script>") > 20


def test_every_chinese_sentence_has_an_english_one(draw: Draw) -> None:
    parsed = outline(render_index(draw(disclosure="sealed")))
    count = {
        language: sum(attributes.get("lang") == language for _, attributes in parsed.elements)
        for language in ("zh", "en")
    }
    assert count["zh"] == count["en"] > 100
    # names and reasons are quoted as they are
    quoted = ("示范", "审计", "登记地址录入有误")
    english = [text for text in parsed.texts["en"] if not any(words in text for words in quoted)]
    assert [text for text in english if re.search("[一-鿿]", text)] == []


def test_the_language_shown_first_is_that_of_the_place_or_of_the_names(draw: Draw) -> None:
    def abroad(values: dict[str, dict[str, Any]]) -> None:
        values["announcement.json"]["timezone"] = "America/Chicago"

    def chinese_only(values: dict[str, dict[str, Any]]) -> None:
        abroad(values)
        authority = values["labels.json"]["authority"]
        authority["en"] = authority["zh"]

    assert '<html lang="zh-CN">' in render_index(draw()).decode()
    assert '<html lang="zh-CN">' in render_index(draw(only=("announcement.json",))).decode()
    assert '<html lang="en">' in render_index(draw(change=abroad)).decode()
    assert '<html lang="zh-CN">' in render_index(draw(change=chinese_only)).decode()


def test_the_command_for_a_ticket_gives_what_the_page_says(draw: Draw) -> None:
    for state, stage in (("open", ":enterprise:"), ("sealed", ":pair:"), ("embargoed visits", ":pair:")):
        texts = [text for text in outline(render_index(draw(**STATES[state]))).texts[""] if text.strip()]
        commands = [place for place, text in enumerate(texts) if text.startswith("printf")]
        assert len(commands) == 1
        command, shown = texts[commands[0]], texts[commands[0] + 1]
        assert stage in command
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        assert done.stdout.split()[0] == shown


def test_under_the_chinese_suite_the_command_is_that_of_openssl(draw: Draw) -> None:
    def chinese(values: dict[str, dict[str, Any]]) -> None:
        values["announcement.json"]["suite"] = "sm3"

    texts = [text for text in outline(render_index(draw(change=chinese))).texts[""] if text.strip()]
    place = next(place for place, text in enumerate(texts) if text.startswith("printf"))
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    done = subprocess.run(["sh", "-c", texts[place]], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        pytest.skip("this openssl has no SM3")
    assert done.stdout.split()[-1] == texts[place + 1]


def test_rules_that_differ_are_said(draw: Draw) -> None:
    def differ(values: dict[str, dict[str, Any]]) -> None:
        values["announcement.json"]["policy"].update(
            calendar="optimise",
            cross_district=True,
            relief=[{"amount": 1, "department": "amr", "kind": "daily"}],
            undated="void",
            visit_limit=None,
        )

    usual, other = (outline(render_index(draw(**state))).text() for state in ({}, {"change": differ}))
    for here, there in (
        ("is drawn by lot from 2 days", "is chosen by optimisation from 2 days"),
        ("in their own districts only", "outside their districts"),
        ("are listed with the reason", "makes the draw invalid"),
        ("at most 4 departments, 20 checks, 8 hours", "daily amr 1"),
    ):
        assert here in usual
        assert here not in other
        assert there in other
        assert there not in usual


def test_a_command_is_never_made_from_an_id_that_could_break_out_of_it(draw: Draw) -> None:
    def poison(values: dict[str, dict[str, Any]]) -> None:
        evil = "91420704MA0000017E'; rm -rf /; '"
        for selection in values["result.json"]["selection"]:
            selection["selected"] = [evil]

    text = outline(render_index(draw(change=poison))).text()
    commands = re.findall(r"printf[^\n]*?sha256sum", text)
    assert len(commands) == 1
    assert "rm -rf" not in commands[0]


def test_an_open_draw_names_the_cutoff_that_decided(draw: Draw) -> None:
    text = outline(render_index(draw())).text()
    assert "其所在层" in text or "分界签号是" in text
    assert "whose cutoff is" in text


def test_inspectors_of_a_sealed_draw_have_no_names_on_the_page(draw: Draw) -> None:
    def leak(values: dict[str, dict[str, Any]]) -> None:
        values["labels.json"]["inspectors"] = {"ra1": {"en": "张伟", "zh": "张伟"}}

    assert "张伟" in render_index(draw()).decode()
    assert "张伟" not in render_index(draw(disclosure="sealed", change=leak)).decode()


def test_an_embargo_hides_dates_and_people_until_their_day(draw: Draw) -> None:
    page = render_index(draw(disclosure="sealed", embargo="crews")).decode()
    assert "2023-09-04 " in page
    assert 'id="day-2023-09-04"' in page
    assert 'id="day-2023-09-05"' not in page
    assert page.count("under embargo</span>") >= 3
    hidden = render_index(draw(disclosure="sealed", embargo="visits")).decode()
    assert "91420704MA0000017E" in hidden
    assert "91420704MA0000025A" not in hidden.replace("labels", "")
    assert "3 more visits are under embargo" in hidden


def test_findings_show_the_latest_revision_and_what_it_replaced(draw: Draw) -> None:
    text = outline(render_index(draw())).text()
    assert "第 2 版，原为 6，更正理由：登记地址录入有误" in text
    assert "Revision 2, before: 6; reason: 登记地址录入有误" in text


def test_a_visit_without_a_date_is_listed_with_its_reason(draw: Draw) -> None:
    text = outline(render_index(draw())).text()
    assert "没有一天能与已排期的检查同时配齐人员" in text
    assert "no day on which crews can be seated" in text


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        ("rehearsal", "演练：不得作为真实抽取使用", "Rehearsal: not a real draw"),
        ("local", "随机数由操作者的计算机产生", "The randomness was chosen by the operator"),
    ],
)
def test_a_banner_warns_in_both_languages(draw: Draw, change: str, zh: str, en: str) -> None:
    def alter(values: dict[str, dict[str, Any]]) -> None:
        if change == "rehearsal":
            values["labels.json"]["rehearsal"] = True
        else:
            values["announcement.json"]["beacon"] = {
                "kind": "local",
                "round": "0",
                "source": "none",
                "time": "2023-08-23T16:49:24Z",
            }

    before, after = outline(render_index(draw())).text(), outline(render_index(draw(change=alter))).text()
    assert zh not in before
    assert en not in before
    assert zh in after
    assert en in after


def test_flags_and_reasons_are_told_in_words(draw: Draw) -> None:
    parsed = outline(render_index(draw()))
    zh, en = ("".join(parsed.texts[language]) for language in ("zh", "en"))
    assert "可抽的检查对象不足 10 户" in zh
    assert "fewer than ten enterprises to draw from" in en
    assert "已达年度检查上限" in zh
    assert "annual cap of visits reached" in en


def test_a_void_draw_says_so_and_why(draw: Draw) -> None:
    files = draw(only=("announcement.json",))
    files["void.json"] = canonical(
        {
            "announcement": "0" * 64,
            "draw": "ezhou-2023-000007",
            "reason": "名录<u>有误</u> {0}",
            "time": "2023-08-24T01:00:00Z",
            "type": "dualrandom/v1/void",
        }
    )
    page = render_index(files)
    assert b"<u>" not in page
    text = outline(page).text()
    assert "本次抽取已作废" in text
    assert "尚未" not in text
    assert "名录<u>有误</u> {0}" in text
    assert "2023-08-24 09:00:00 (UTC+08:00)" in text


def test_every_published_file_is_linked(draw: Draw) -> None:
    files = {**draw(), "voided/ezhou-2023-000006/announcement.json": b"{}"}
    links = {str(a["href"]) for name, a in outline(render_index(files)).elements if name == "a"}
    assert set(files) <= links


def test_ten_thousand_visits_make_one_page(draw: Draw) -> None:
    def multiply(values: dict[str, dict[str, Any]]) -> None:
        first = values["result.json"]["visits"][0]
        values["result.json"]["visits"] = [{**first, "enterprise": f"E{n:05d}"} for n in range(10_000)]

    page = render_index(draw(change=multiply))
    assert page.count(b'<tbody class="visit">') == 10_000
    assert len(page) < 20_000_000


def test_without_an_announcement_there_is_nothing_to_show() -> None:
    with pytest.raises(DualRandomError) as refused:
        render_index({"result.json": b"{}"})
    assert refused.value.code == "no-announcement"


def test_damaged_bytes_are_refused(draw: Draw) -> None:
    files = draw()
    with pytest.raises(DualRandomError) as refused:
        render_index({**files, "result.json": files["result.json"] + b"\n"})
    assert refused.value.code == "not-canonical"


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_contrasts_with_what_it_stands_on(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    blocks = re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL)
    assert len(blocks) == 3
    colours = {
        name: value
        for block in (blocks[0], blocks[{"light": 0, "dark": 1, "print": 2}[scheme]])
        for name, value in re.findall(r"--(\w+):(#\w+)", block)
    }
    pairs = [(text, ground) for text in ("ink", "soft", "blue") for ground in ("paper", "card")]
    pairs += [
        ("ink", "tint"),
        ("ink", "warnbg"),
        ("ink", "badbg"),
        ("good", "card"),
        ("warn", "card"),
        ("paper", "ink"),
    ]
    for text, ground in pairs:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
