"""Names of individual businesses (个体工商户) are often a person's: published documents mask them, the id stays checkable.

Which names are masked is the plan's policy (``policy.mask_individuals``); visit lists and task sheets for the departments
always have the whole name.
"""

from __future__ import annotations

import re

from dualrandom.policy.plan import Plan
from dualrandom.registry.models import Enterprise

_TRADE = re.compile(
    "便利店|超市|商店|商行|商贸行|商场|百货店|烟酒店|水果店|蔬菜店|生鲜店|粮油店|杂货店|批发部|经营部|经销部|门市部|服务部|营业部|"
    "餐馆|餐厅|饭店|饭馆|酒楼|酒店|菜馆|面馆|小吃店|早餐店|快餐店|火锅店|烧烤店|茶馆|茶楼|奶茶店|咖啡馆|食堂|烘焙店|面包店|"
    "理发店|美发店|美容店|美容院|足浴店|浴室|旅馆|宾馆|民宿|客栈|网吧|歌厅|健身房|药店|大药房|诊所|医务室|养生馆|"
    "修理厂|修理部|维修店|维修部|汽修厂|洗车店|加工厂|加工坊|作坊|家具厂|五金店|五金机电|建材店|服装店|鞋店|眼镜店|花店|书店|"
    "文具店|打印店|广告部|工作室|照相馆|培训部|托管中心|幼儿园|养殖场|种植园|农场|家庭农场|合作社|茶庄|酒庄|网店|药房|店|馆|厂|行|部"
)
_REMARK = re.compile("[（(](?:个体工商户|虚构)[）)]")
INDIVIDUAL_USCC = "92"
"""Codes of individual businesses begin with it (GB 32100-2015: registrar 9, category 2)."""


def masked(name: str) -> str:
    """Return a name with its first character, ``**``, and the trade at its end if it is a usual one.

    >>> masked("张伟便利店"), masked("河滨社区隆广酒楼（虚构）"), masked("李秀英"), masked("Joe's Diner")
    ('张**便利店', '河**酒楼（虚构）', '李**', 'J**')
    """
    text = name.strip()
    remarks = ""
    while (found := re.search(f"{_REMARK.pattern}$", text)) is not None:
        text, remarks = text[: found.start()], found[0] + remarks
    trade = next(
        (match[0] for start in range(2, len(text)) if (match := _TRADE.fullmatch(text, start)) is not None),
        "",
    )
    return f"{text[:1]}**{trade}{remarks}"


def is_individual(enterprise: Enterprise, plan: Plan) -> bool:
    """Say whether an enterprise is an individual business: by its kind, or by its unified social credit code."""
    by_code = plan.enterprise_ids == "uscc" and enterprise.id.startswith(INDIVIDUAL_USCC)
    return enterprise.kind == "individual" or by_code


def public_name(enterprise: Enterprise, plan: Plan) -> str:
    """Return the name that published documents show."""
    return (
        masked(enterprise.name)
        if plan.mask_individuals and is_individual(enterprise, plan)
        else enterprise.name
    )
