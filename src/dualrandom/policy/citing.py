"""The policies that a plan names: found, or reported; and the ratios that a task takes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dualrandom.policy.documents import Policy
from dualrandom.policy.precedence import class_ratios
from dualrandom.policy.source import Faults, Path, nearest


def cite_policies(faults: Faults, parsed: Mapping[str, Any], known: Mapping[str, Policy]) -> None:
    """Put the policies in place of their ids, and give tasks without a quota the ratios that a policy prescribes."""
    head = parsed["plan"]
    everywhere: Sequence[Policy] = ()
    if head is not None:
        everywhere = head["policies"] = _cited(faults, ("plan", "policies"), head["policies"], known)
    for position, task in enumerate(parsed["tasks"] or ()):
        if task is None:
            continue
        task["policies"] = _cited(faults, ("tasks", position, "policies"), task["policies"], known)
        if task["ratios"] is None and task["budget"] is None and task["mode"] == "own" and head is not None:
            wanted = (task["scope"] or {}).get("classes") or head["classes"]
            found = class_ratios((*everywhere, *task["policies"]), wanted or ())
            task["ratios"] = None if found is None else dict(found)


def _cited(
    faults: Faults, path: Path, names: Sequence[str] | None, known: Mapping[str, Policy]
) -> tuple[Policy, ...]:
    for name in names or ():
        if name not in known:
            faults.error(
                path,
                "plan-policy-unknown",
                name,
                ("没有这份政策", "there is no such policy"),
                (
                    f"放入 policies/*.toml，或改为：{'、'.join(sorted(known))}",
                    f"Put it into policies/*.toml, or name one of: {', '.join(sorted(known))}",
                ),
                nearest(name, known),
            )
    return tuple(known[name] for name in names or () if name in known)
