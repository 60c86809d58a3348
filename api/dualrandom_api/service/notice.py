"""The printed inspection notice (检查通知书) in Chinese, with the scan-in code in letters and as a QR code."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno
from markupsafe import Markup, escape
from sqlmodel import Session

from dualrandom.page.words import weekday
from dualrandom.store.tables import Department, DrawRow, Office
from dualrandom.store.visit_lists import VisitView, library_cells, unfilled_words

STYLE: Final = """
@page { size: A4; margin: 20mm }
body { font: 12pt/1.7 "Noto Serif CJK SC", "Songti SC", SimSun, serif; max-width: 46em; margin: 2em auto; color: #111 }
h1 { text-align: center; font-size: 20pt; letter-spacing: .3em }
.number { text-align: center }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #333; padding: .3em .6em; text-align: left; vertical-align: top }
.scan { float: right; margin: 1em 0 1em 2em; text-align: center }
.scan svg { width: 34mm; height: 34mm }
.code { font: bold 16pt monospace; letter-spacing: .15em }
.sign { margin-top: 3em; text-align: right }
"""


def notice_page(session: Session, view: VisitView, code: str) -> bytes:
    """Return the notice with the scan-in code as a page of its own; it loads nothing."""
    visit = view.visit
    draw = session.get_one(DrawRow, visit.draw_id)
    office = session.get(Office, 1)
    items = library_cells(session, "items", draw, {item for one in view.checks for item in one.check.items})
    rows = Markup("")
    for one in view.checks:
        department = session.get(Department, one.check.department_id)
        people = Markup("<br>").join(
            f"{person.name or person.code} {person.licence}".strip() for person in one.crew
        )
        listed = Markup("<br>").join(
            f"{cells.get('name', item)}（{cells['basis']}）"
            if cells.get("basis")
            else cells.get("name", item)
            for item in one.check.items
            for cells in [items.get(item, {})]
        )
        name = one.check.department_id if department is None else department.name
        rows += Markup("<tr><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            name, listed, people or Markup("（空缺）{}").format(unfilled_words(one.check.unfilled))
        )
    day = visit.later or visit.date
    when = (
        "未能排期"
        if day is None
        else f"{day.year} 年 {day.month} 月 {day.day} 日（{weekday(day.isoformat()).zh}）"
    )
    if visit.later is not None:
        when += f"；抽取日期 {visit.date}，{visit.later_reason}"
    others = f"同时到场的部门：{'、'.join(view.others)}。" if view.others else ""
    body = Markup(
        "<!DOCTYPE html><html lang=zh-CN><head><meta charset=utf-8><title>检查通知书 {notice}</title>"
        "<style>{style}</style></head><body><h1>检查通知书</h1><p class=number>编号 {notice}　审批编号 {approval}</p>"
        "<div class=scan>{qr}<br>入企码<br><span class=code>{code}</span></div>"
        "<p>{name}（统一社会信用代码 {enterprise}）：</p>"
        "<p>根据双随机抽查计划（抽取编号 {draw}，结果及其验证方法已公布），定于 <b>{when}</b> 对你单位进行检查，地址：{address}。{others}</p>"
        "<table><thead><tr><th>部门</th><th>抽查事项（依据）</th><th>检查人员及证号</th></tr></thead><tbody>{rows}</tbody></table>"
        "<p>检查人员到场时请核对执法证件，并扫码或输入入企码确认。你单位认为检查人员与本单位有利害关系的，可以申请其回避。"
        "抽取过程可用本单位的回执自行验证。</p>"
        "<p class=sign>{office}</p></body></html>"
    )
    return str(
        body.format(
            notice=visit.notice,
            approval=visit.approval,
            style=Markup(STYLE),  # noqa: S704  (our own text)
            qr=Markup(_qr(f"dualrandom:scan-in:{visit.notice}:{code}")),  # noqa: S704  (an SVG of ours)
            code=code,
            name=visit.name,
            enterprise=visit.enterprise,
            draw=visit.draw_id,
            when=when,
            address=visit.address or "—",
            others=others,
            rows=rows,
            office="" if office is None else escape(office.name),
        )
    ).encode()


def _qr(text: str) -> str:
    stream = BytesIO()
    segno.make(text, error="m").save(stream, kind="svg", xmldecl=False, svgns=False, border=2, omitsize=True)
    return stream.getvalue().decode()
