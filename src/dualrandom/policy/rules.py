"""Rules between the keys of a plan: what must exist, what excludes what, and the laws behind it.

Each function notes all violations that it finds; values that could not be read (None) are passed over, so
that one mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from dualrandom.policy.source import Faults, Path, nearest

Parsed = Mapping[str, Any]
SUFFIXES = (".csv", ".xlsx", ".parquet")


def rows(parsed: Parsed, key: str) -> list[tuple[int, Parsed]]:
    """Return the readable tables of ``[[key]]`` with their positions."""
    return [(position, row) for position, row in enumerate(parsed[key] or ()) if row is not None]


def check_ids(faults: Faults, parsed: Parsed) -> None:
    """Within one kind, ids stay distinct when case is ignored (docs/protocol.md §1)."""
    for kind, key in (
        ("tasks", "id"),
        ("departments", "id"),
        ("districts", "id"),
        ("contributions", "party"),
    ):
        _distinct(
            faults, (((kind, position, key), row[key]) for position, row in rows(parsed, kind)), once=True
        )
    _distinct(
        faults,
        ((("plan", "classes"), name) for name in (parsed["plan"] or {}).get("classes") or ()),
        once=True,
    )
    _distinct(
        faults,
        (
            (("tasks", position, "items"), item)
            for position, task in rows(parsed, "tasks")
            for item in task["items"] or ()
        ),
    )
    _distinct(
        faults,
        (
            (("departments", position, "seats"), mark)
            for position, department in rows(parsed, "departments")
            for seat in department["seats"] or ()
            for mark in seat
        ),
    )


def _distinct(faults: Faults, ids: Iterable[tuple[Path, str | None]], *, once: bool = False) -> None:
    """Refuse ids that differ in case only; with ``once`` also those that come again."""
    spelling: dict[str, str] = {}
    for path, name in ids:
        if name is None:
            continue
        known = spelling.get(name.lower())
        if known is None:
            spelling[name.lower()] = name
        elif known != name:
            faults.error(
                path,
                "plan-id-case",
                name,
                (f"与 {known} 只有大小写不同", f"differs from {known} in case only"),
                ("统一写法，或换一个代码", "Write both alike, or choose another id"),
                None if once else known,
            )
        elif once:
            faults.error(
                path,
                "plan-id-twice",
                name,
                ("代码重复", "the id is used twice"),
                (
                    "给其中一个换代码，或删去重复的一段",
                    "Give one of them another id, or take the repeated table out",
                ),
            )


def check_disclosure(faults: Faults, parsed: Parsed, raw: Mapping[str, Any]) -> None:
    """Sealed draws need an auditor and whole quotas; open ones a reason why credit classes may be public."""
    plan = parsed["plan"]
    if plan is None:
        return
    written = raw.get("plan", {})
    if plan["disclosure"] == "sealed":
        if "auditor" not in raw:
            faults.error(
                ("auditor",),
                "plan-auditor",
                "",
                ("密封抽取没有审计方", "a sealed draw has no auditor"),
                (
                    '增加 [auditor]，写明持有开启密钥的机构；或改为 disclosure = "open"',
                    'Add [auditor]: the body that holds the opening secret; or set disclosure = "open"',
                ),
            )
        if plan["rounding"] == "unbiased":
            faults.error(
                ("plan", "rounding"),
                "plan-rounding",
                "unbiased",
                (
                    "密封抽取的样本量须在种子之前确定，不能随机取整",
                    "a sealed draw fixes its sample sizes before the seed, they cannot be random",
                ),
                (
                    '写 rounding = "up"，或改为 disclosure = "open"',
                    'Set rounding = "up", or disclosure = "open"',
                ),
                '"up"',
            )
        if "classes_public" in written:
            faults.error(
                ("plan", "classes_public"),
                "plan-classes-sealed",
                plan["classes_public"],
                ("密封抽取不公开信用分类", "a sealed draw does not publish credit classes"),
                ("删去 classes_public", "Take classes_public out"),
            )
    elif plan["disclosure"] == "open":
        if "classes_public" not in written:
            faults.error(
                ("plan", "classes_public"),
                "plan-classes-public",
                "",
                (
                    "信用风险分类是内部信息，依规不公开；公开抽取会公布每户的分层",
                    "credit classes are internal by law; an open draw publishes every enterprise's stratum",
                ),
                (
                    'classes_public 写明可以公开的依据（如分类本身已公开）；或改为 disclosure = "sealed"',
                    'Say in classes_public why these classes may be public; or set disclosure = "sealed"',
                ),
                None,
            )
        if "auditor" in raw:
            faults.error(
                ("auditor",),
                "plan-auditor-open",
                (parsed["auditor"] or {}).get("name"),
                ("公开抽取没有密封内容，不设审计方", "an open draw has nothing sealed and no auditor"),
                (
                    '删去 [auditor]，或改为 disclosure = "sealed"',
                    'Take [auditor] out, or set disclosure = "sealed"',
                ),
            )


def check_policy(faults: Faults, parsed: Parsed, raw: Mapping[str, Any]) -> None:
    """Cross-district crews only under a cited policy; relief steps that mean something."""
    policy = parsed["policy"]
    if policy is None:
        return
    departments = ids_of(parsed, "departments")
    basis = "cross_district_basis" in raw.get("policy", {})
    lends = False
    for position, step in enumerate(policy["relief"] or ()):
        if step is None:
            continue
        path: Path = ("policy", "relief", position)
        lends = lends or step["kind"] == "lend"
        known(faults, (*path, "department"), step["department"], departments, ("部门", "department"))
        if step["kind"] in ("daily", "total") and step["amount"] == 0:
            faults.error(
                (*path, "amount"),
                "plan-relief",
                0,
                ("上限没有提高", "the cap is not raised"),
                ("amount 写提高多少", "Say in amount by how much"),
                "1",
            )
        if step["kind"] in ("lend", "seats") and step["amount"]:
            faults.error(
                (*path, "amount"),
                "plan-relief",
                step["amount"],
                (f"{step['kind']} 不用 amount", f"{step['kind']} takes no amount"),
                ("删去 amount", "Take amount out"),
            )
    if (policy["cross_district"] or lends) and not basis:
        what = "cross_district = true" if policy["cross_district"] else 'relief: kind = "lend"'
        faults.error(
            ("policy", "cross_district_basis"),
            "plan-cross-district",
            what,
            (
                "跨区域检查没有依据；违规异地检查是禁止的",
                "cross-district crews without a basis; irregular inspection elsewhere is forbidden",
            ),
            (
                "cross_district_basis 写明文件名称和文号，或不跨区域",
                "Cite the policy that allows it in cross_district_basis, or do not cross districts",
            ),
        )
    elif basis and not policy["cross_district"] and not lends:
        faults.error(
            ("policy", "cross_district_basis"),
            "plan-cross-district",
            policy["cross_district_basis"],
            ("写了依据，却没有跨区域", "a basis is cited, but no crew crosses districts"),
            ("删去依据，或写 cross_district = true", "Take it out, or set cross_district = true"),
        )
    limit = policy["visit_limit"]
    if limit is not None and not raw.get("policy", {}).get("visit_limit"):
        faults.error(
            ("policy", "visit_limit"),
            "plan-empty",
            "{}",
            ("上门限制是空的", "the limit of a visit is empty"),
            (
                "写 departments、checks 或 hours，或删去 visit_limit",
                "Give departments, checks or hours, or take it out",
            ),
        )


def check_contributions(faults: Faults, parsed: Parsed, raw: Mapping[str, Any]) -> None:
    """Key, commitment and signature come from the party itself and come together."""
    for position, _ in rows(parsed, "contributions"):
        written = raw["contributions"][position]
        given = [key for key in ("key", "commitment", "signature") if key in written]
        if 0 < len(given) < 3:
            missing = [key for key in ("key", "commitment", "signature") if key not in written]
            faults.error(
                ("contributions", position),
                "plan-contribution",
                ", ".join(given),
                (f"贡献缺少 {'、'.join(missing)}", f"the contribution lacks {' and '.join(missing)}"),
                (
                    "三项由贡献方一并给出；都不写则由本系统代为生成",
                    "The party gives all three together; without any, they are generated here",
                ),
            )


def check_exemptions(faults: Faults, parsed: Parsed) -> None:
    """An exemption is from a task of the plan or from all, and is stated once."""
    tasks = ids_of(parsed, "tasks")
    seen: set[tuple[str | None, str | None]] = set()
    for position, row in rows(parsed, "exemptions"):
        path: Path = ("exemptions", position)
        known(faults, (*path, "task"), row["task"], tasks, ("任务", "task"))
        key = row["enterprise"], row["task"]
        if key in seen:
            faults.error(
                path,
                "plan-exemption-twice",
                row["enterprise"],
                ("同一豁免写了两次", "the same exemption stands twice"),
                ("只保留一次", "Keep it once"),
            )
        seen.add(key)


def check_libraries(faults: Faults, parsed: Parsed) -> None:
    """A library lies in the campaign's folder and is of a known format."""
    for kind, source in (parsed["libraries"] or {}).items():
        if source is None or source["file"] is None:
            continue
        file = source["file"]
        if PurePosixPath(file).name != file or "\\" in file or not file.lower().endswith(SUFFIXES):
            faults.error(
                ("libraries", kind, "file"),
                "plan-library-file",
                file,
                (
                    "不是本目录下的 csv、xlsx 或 parquet 文件名",
                    "is not the name of a csv, xlsx or parquet file in this folder",
                ),
                (
                    "把文件复制到计划所在目录，只写文件名",
                    "Copy the file beside the plan and give its name only",
                ),
            )
        for key, suffix in (("sheet", ".xlsx"), ("encoding", ".csv")):
            if source[key] is not None and not file.lower().endswith(suffix):
                faults.error(
                    ("libraries", kind, key),
                    "plan-library-option",
                    source[key],
                    (f"{key} 只用于 {suffix} 文件", f"{key} is for {suffix} files only"),
                    (f"删去 {key}", f"Take {key} out"),
                )


def ids_of(parsed: Parsed, kind: str) -> list[str]:
    """Return the ids of the readable tables of ``[[kind]]``."""
    return [row["id"] for _, row in rows(parsed, kind) if row["id"] is not None]


def known(faults: Faults, path: Path, name: str | None, among: Iterable[str], what: tuple[str, str]) -> None:
    """Note an id that the plan does not have; a plan with none of the kind is reported elsewhere."""
    among = list(among)
    if name is None or name in among or not among:
        return
    faults.error(
        path,
        "plan-unknown-id",
        name,
        (f"计划中没有这个{what[0]}", f"the plan has no such {what[1]}"),
        (
            f"改正，或补充该{what[0]}；已有：{'、'.join(among)}",
            f"Correct it, or add it; known: {', '.join(among)}",
        ),
        nearest(name, among),
    )
