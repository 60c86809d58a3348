"""Receipts (回执): what one enterprise or one inspector needs to check its own treatment (docs/protocol.md §14).

A receipt holds the rows that concern its subject, their openings where they are sealed, and the RFC 6962 inclusion proof of
each row in the list that the announcement or the result commits to. It is a pure function of published and private bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dualrandom.errors import DualRandomError
from dualrandom.hashing import Digest, leaf_hash

TYPE = "dualrandom/v1/receipt"


def inclusion_path(leaves: Sequence[bytes], index: int, digest: Digest) -> tuple[str, ...]:
    """Return the siblings from the leaf to the root, 64 hex digits each. Raises ValueError for an index out of range."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf {index} among {len(leaves)}")
    path: list[str] = []
    level, place = list(leaves), index
    # An odd last node is carried up, as in hashing.tree_root: it has no sibling on that level.
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            path.append(level[sibling].hex())
        above = [digest(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level, place = above, place // 2
    return tuple(path)


class ReceiptLists:
    """The lists of one draw: name → rows (bytes without newlines), and name → openings (bytes) by row id."""

    def __init__(
        self,
        rows: Mapping[str, Sequence[bytes]],
        openings: Mapping[str, Mapping[str, bytes]],
        digest: Digest,
    ) -> None:
        self._rows = rows
        self._openings = openings
        self._digest = digest
        self._leaves: dict[str, list[bytes]] = {}

    def sizes(self) -> dict[str, int]:
        """Return the number of rows of each list."""
        return {name: len(rows) for name, rows in self._rows.items()}

    def opened(self, name: str) -> Mapping[str, bytes]:
        """Return a list's openings by row id; empty if it is not sealed."""
        return self._openings.get(name, {})

    def index(self, name: str, row_id: str) -> int | None:
        """Return the place of a row from 0, or None."""
        # ids are ASCII without quotes, and no value of a row before the id contains this text
        wanted = b'"id":"%b"' % row_id.encode("ascii", "replace")
        for place, row in enumerate(self._rows.get(name, ())):
            if wanted in row and json.loads(row)["id"] == row_id:
                return place
        return None

    def ids(self, name: str) -> list[str]:
        """Return the ids of all rows of a list."""
        return [json.loads(row)["id"] for row in self._rows.get(name, ())]

    def row(self, name: str, place: int) -> dict[str, Any]:
        """Return one row with opening and proof, as it stands in a receipt."""
        rows = self._rows[name]
        if name not in self._leaves:
            self._leaves[name] = [leaf_hash(row, self._digest) for row in rows]
        row = json.loads(rows[place])
        opening = self.opened(name).get(row["id"])
        return {
            "index": place,
            "list": name,
            "opening": None if opening is None else json.loads(opening),
            "proof": list(inclusion_path(self._leaves[name], place, self._digest)),
            "row": row,
        }


def enterprise_receipt(
    announcement: Mapping[str, Any], digest_hex: str, lists: ReceiptLists, enterprise: str
) -> dict[str, Any]:
    """Return an enterprise's receipt: its frame row and, sealed, the strata and cutoffs rows of each task's stratum.

    Raises DualRandomError ``not-in-frame``.
    """
    place = lists.index("frame", enterprise)
    if place is None:
        raise DualRandomError(
            "not-in-frame",
            enterprise,
            {
                "zh": f"{enterprise} 不在本次抽取的抽样框中，没有签号",
                "en": f"{enterprise} is not in the frame of this draw, so it has no ticket",
            },
            {
                "zh": "核对代码；原因见 dualrandom explain --enterprise。",
                "en": "Check the id; dualrandom explain --enterprise says why.",
            },
        )
    rows = [lists.row("frame", place)]
    if announcement["disclosure"] == "sealed":
        strata = rows[0]["opening"]["hidden"]["strata"]
        for name, opening in sorted(lists.opened("strata").items()):
            hidden = json.loads(opening)["hidden"]
            if strata.get(hidden["task"]) == hidden["id"]:
                for sealed in ("strata", "cutoffs"):
                    found = lists.index(sealed, name)
                    assert found is not None  # both lists were made from the same strata
                    rows.append(lists.row(sealed, found))
    return _receipt(announcement, digest_hex, rows, "enterprise", enterprise)


def inspector_receipt(
    announcement: Mapping[str, Any], digest_hex: str, lists: ReceiptLists, inspector: str
) -> dict[str, Any]:
    """Return an inspector's receipt: the own roster row, and the recusals that name this roster id.

    Raises DualRandomError ``not-in-roster``.
    """
    place = lists.index("roster", inspector)
    if place is None:
        raise DualRandomError(
            "not-in-roster",
            inspector,
            {
                "zh": f"{inspector} 不在本次抽取的检查人员名录中",
                "en": f"{inspector} is not in the roster of this draw",
            },
            {
                "zh": "核对编号；未承担任务的部门不列入名录。",
                "en": "Check the code; departments without a task are not in the roster.",
            },
        )
    rows = [lists.row("roster", place)]
    if announcement["disclosure"] == "sealed":
        pairs = {
            name: json.loads(opening)["hidden"]["pair"] for name, opening in lists.opened("recusals").items()
        }
    else:
        pairs = {name: name.split("~") for name in lists.ids("recusals")}
    for name in sorted(name for name, pair in pairs.items() if inspector in pair):
        found = lists.index("recusals", name)
        assert found is not None
        rows.append(lists.row("recusals", found))
    return _receipt(announcement, digest_hex, rows, "inspector", inspector)


def _receipt(
    announcement: Mapping[str, Any], digest_hex: str, rows: list[dict[str, Any]], kind: str, subject: str
) -> dict[str, Any]:
    return {
        "announcement": digest_hex,
        "draw": announcement["draw"],
        "rows": sorted(rows, key=lambda row: (row["list"], row["index"])),
        "subject": {"id": subject, "kind": kind},
        "type": TYPE,
    }
