"""Names of individual businesses are masked where people outside the office read them, and nowhere else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dualrandom.announcement import build_announcement, list_files
from dualrandom.hashing import suite_digest
from dualrandom.masking import masked, public_name
from dualrandom.statistics import labels_document
from dualrandom.visits import Visit


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张伟便利店", "张**便利店"),
        ("鄂州市华容区张三早餐店", "鄂**早餐店"),
        ("张三便利店（个体工商户）", "张**便利店（个体工商户）"),
        ("李秀英", "李**"),
        ("王", "王**"),
        ("", "**"),
        ("便利店", "便**店"),
        ("Joe's Diner", "J**"),
    ],
)
def test_a_name_keeps_its_first_character_and_its_trade(name: str, shown: str) -> None:
    assert masked(name) == shown


def test_what_is_published_masks_individuals_and_what_departments_get_does_not(
    town: Path, world: Any, public: dict[str, bytes]
) -> None:
    labels = json.loads(public["labels.json"])["enterprises"]
    names = {e.id: e.name for e in world.inputs.libraries.enterprises}
    kinds = {e.id: e.kind for e in world.inputs.libraries.enterprises}
    individuals = [i for i in labels if kinds[i] == "individual"]
    companies = [i for i in labels if kinds[i] == "enterprise"]
    assert individuals
    assert companies
    assert all(labels[i]["zh"] == masked(names[i]) != names[i] for i in individuals)
    assert all(labels[i]["zh"] == names[i] for i in companies)
    page = public["index.html"].decode()
    assert not any(names[i] in page for i in individuals)
    assert all(i in page for i in individuals)
    sheet = b"".join(path.read_bytes() for path in (town / "exports").glob("*.csv")).decode("utf-8-sig")
    assert all(names[i] in sheet for i in individuals)


def test_a_plan_may_show_whole_names(world: Any) -> None:
    plan, frozen, libraries = world.inputs.plan, world.frozen, world.inputs.libraries
    digest = suite_digest(plan.suite)
    lists = {n: f.commitment(digest) for n, f in list_files(frozen, bytes(32), digest).items()}
    document = build_announcement(plan, libraries, frozen, world.days, lists, [], None, [])
    firm = next(e for e in libraries.enterprises if e.kind == "individual" and e.id in frozen.ids)
    open_handed = replace(plan, mask_individuals=False)
    for used, name in ((plan, masked(firm.name)), (open_handed, firm.name)):
        visit = Visit(enterprise=firm.id, part=1, tasks=())
        shown = labels_document(used, libraries, document, "0" * 64, [visit], True)
        assert shown["enterprises"][firm.id]["zh"] == name


def test_a_social_credit_code_of_an_individual_masks_whatever_the_kind_column_says(world: Any) -> None:
    plan = world.inputs.plan
    firm = next(e for e in world.inputs.libraries.enterprises if e.id.startswith("92"))
    assert public_name(replace(firm, kind="enterprise"), plan) == masked(firm.name)
    assert public_name(replace(firm, kind="enterprise"), replace(plan, enterprise_ids="free")) == firm.name
