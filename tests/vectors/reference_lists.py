"""The reference's lists, announcement and seed (docs/protocol.md §2–4)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = Any
Lie = Callable[[Any, Any], Any]
"""Takes the record in the making and the honest value, returns the value to go on with."""


@dataclass
class Case:
    """What a draw starts from. `frame`: id → {closed, district, strata}; `roster`: id → detail and `person`; `recusals`:
    [a, b, ground]; `strata`: task → [{expected, group, id}] (size is counted); `nonces`: party → (nonce, revealed)."""

    tasks: list[dict[str, Json]]
    crews: dict[str, list[list[str]]]
    strata: dict[str, list[dict[str, Json]]]
    frame: dict[str, dict[str, Json]]
    roster: dict[str, dict[str, Json]]
    days: list[str]
    recusals: list[list[str]] = field(default_factory=list)
    nonces: dict[str, tuple[str, bool]] = field(default_factory=dict)
    policy: dict[str, Json] = field(default_factory=dict)
    sealed: bool = False
    suite: str = "sha256"
    beacon: dict[str, Json] = field(default_factory=dict)
    evidence: dict[str, Json] = field(default_factory=dict)
    open_embargoed: Callable[[str], bool] | None = None
    secret: bytes = bytes(range(32))
    announcement: dict[str, Json] = field(default_factory=dict)
    draw: str = "test-2023-000001"
    moved: str | None = None
    """Optimised calendar: the day to which visits are moved as far as that is feasible."""
    beside: Callable[[Any], dict[str, bytes]] | None = None
    """Further published files, from the finished record."""
    receipts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Receipts to give: name → (kind, id)."""


def jcs(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def ratio(value: Fraction | int | str) -> str:
    value = Fraction(value)
    return f"{value.numerator}/{value.denominator}"


class Announced:
    """One record in the making; attributes keep what later steps and tests look at."""

    def __init__(self, case: Case, lies: Mapping[str, Lie]) -> None:
        self.case, self.lies = case, lies
        self.public: dict[str, bytes] = {}
        self.openings: dict[str, bytes] = {}
        self.lists: dict[str, Json] = {}
        self.draw = case.draw

    def lie(self, name: str, value: Json) -> Json:
        return self.lies[name](self, value) if name in self.lies else value

    def h(self, data: bytes) -> bytes:
        if self.case.suite == "sha256":
            return hashlib.sha256(data).digest()
        state = hashes.Hash(hashes.SM3())
        state.update(data)
        return state.finalize()

    def ticket(self, stage: str, name: str) -> str:
        return self.h(f"{self.seed}:{stage}:{name}".encode()).hex()

    # --- lists (§2)

    def tree(self, leaves: list[bytes]) -> bytes:
        if len(leaves) < 2:
            return leaves[0] if leaves else self.h(b"")
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return self.h(b"\x01" + self.tree(leaves[:split]) + self.tree(leaves[split:]))

    def salt(self, name: str, key: str) -> str:
        return hmac.new(self.case.secret, f"{self.draw}\n{name}\n{key}".encode(), "sha256").hexdigest()

    def publish(self, name: str, rows: Mapping[str, tuple[Json, Json]]) -> Json:
        """Write list `name` from id → (open detail or None, hidden or None); return its commitment."""
        written, opened = [], []
        for key in sorted(rows):
            detail, hidden = rows[key]
            row = {"id": key}
            if detail is not None:
                row["detail"] = detail
            if hidden is not None:
                salt = self.salt(name, key)
                row["sealed"] = self.h(f"dualrandom/v1/sealed\n{salt}\n".encode() + jcs(hidden)).hex()
                opened.append(jcs({"hidden": hidden, "id": key, "list": name, "salt": salt}) + b"\n")
            written.append(jcs(row))
        self.public[f"{name}.jsonl"] = b"".join(row + b"\n" for row in written)
        if opened or any(hidden is not None for _, hidden in rows.values()) or name in ("strata", "cutoffs"):
            self.openings[name] = b"".join(opened)
        return {"root": self.tree([self.h(b"\x00" + row) for row in written]).hex(), "size": len(written)}

    def list_commitments(self) -> Json:
        case = self.case
        self.frame = self.lie("frame", case.frame)
        self.roster = self.lie("roster", case.roster)
        self.recusals = self.lie("recusals", case.recusals)
        combinations = sorted({tuple(sorted(row["strata"].items())) for row in self.frame.values()})
        self.profiles = {f"p{i:04d}": dict(strata) for i, strata in enumerate(combinations, 1)}
        named = {tuple(sorted(strata.items())): name for name, strata in self.profiles.items()}
        details = {key: {k: v for k, v in row.items() if k != "person"} for key, row in self.roster.items()}
        pairs = self.lie("pairs", sorted((f"{a}~{b}", a, b, ground) for a, b, ground in self.recusals))
        self.sizes = {
            (task, stratum["id"]): sum(
                row["strata"].get(task) == stratum["id"] for row in self.frame.values()
            )
            for task, strata in case.strata.items()
            for stratum in strata
        }
        self.strata = {
            task: [s | {"expected": ratio(s["expected"]), "size": self.sizes[task, s["id"]]} for s in strata]
            for task, strata in case.strata.items()
        }
        self.keys = {key: f"{key}:{self.salt('frame', key)}" if case.sealed else key for key in self.frame}
        if not case.sealed:
            frame: dict[str, tuple[Json, Json]] = {
                key: (
                    {
                        "closed": row["closed"],
                        "district": row["district"],
                        "profile": named[tuple(sorted(row["strata"].items()))],
                    },
                    None,
                )
                for key, row in self.frame.items()
            }
            return {
                "frame": self.publish("frame", frame),
                "recusals": self.publish(
                    "recusals", {pair: ({"ground": ground}, None) for pair, _, _, ground in pairs}
                ),
                "roster": self.publish("roster", {key: (detail, None) for key, detail in details.items()}),
            }
        cells = self.lie(
            "cells", sorted((task, s["id"], s) for task, strata in self.strata.items() for s in strata)
        )
        self.cells = [(task, name) for task, name, _ in cells]
        return {
            "frame": self.publish("frame", {key: (None, row) for key, row in self.frame.items()}),
            "recusals": self.publish(
                "recusals",
                {
                    f"r{i:06d}": (None, {"ground": ground, "pair": [a, b]})
                    for i, (_, a, b, ground) in enumerate(pairs, 1)
                },
            ),
            "roster": self.publish(
                "roster",
                {key: (detail, {"person": self.roster[key]["person"]}) for key, detail in details.items()},
            ),
            "strata": self.publish(
                "strata", {f"s{i:04d}": (None, s | {"task": task}) for i, (task, _, s) in enumerate(cells, 1)}
            ),
        }

    # --- announcement and seed (§3, §4)

    def announce(self) -> None:
        case = self.case
        lists = self.list_commitments()
        tasks = []
        for task in case.tasks:
            own = task["mode"] == "own"
            strata = self.strata.get(task["id"], [])
            total = sum((Fraction(s["expected"]) for s in strata), Fraction(0))
            tasks.append(
                task
                | {
                    "control": task.get("control", "one-way"),
                    "lead": task.get("lead"),
                    "strata": strata if own and not case.sealed else None,
                }
                | {"total": ratio(total) if own else None}
            )
        contributions = []
        for party, (nonce, _) in sorted(case.nonces.items()):
            key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())
            commitment = self.h(f"dualrandom/v1/nonce\n{self.draw} {party} {nonce}\n".encode()).hex()
            signed = key.sign(f"dualrandom/v1/contribution\n{self.draw} {party} {commitment}\n".encode())
            public = key.public_key().public_bytes_raw()
            contributions.append(
                {"commitment": commitment, "key": base64(public), "party": party, "signature": base64(signed)}
            )
        auditor_key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
        self.announcement: Json = {
            "type": "dualrandom/v1/announcement",
            "draw": self.draw,
            "plan": "2023-09",
            "authority": "test",
            "timezone": "Asia/Shanghai",
            "suite": case.suite,
            "disclosure": "sealed" if case.sealed else "open",
            "enterprise_ids": "free",
            "auditor": {"key": base64(auditor_key), "name": "审计局"} if case.sealed else None,
            "beacon": case.beacon,
            "contributions": contributions,
            "period": {"end": "2023-09-30", "start": "2023-09-01"},
            "days": case.days,
            "deadlines": {
                "findings": "2023-10-31T15:59:59Z",
                "result": "2023-08-31T00:00:00Z",
                "reveal": case.beacon["time"],
            },
            "lists": lists,
            "crews": [{"department": d, "seats": seats} for d, seats in sorted(case.crews.items())],
            "tasks": tasks,
            "profiles": None
            if case.sealed
            else [{"id": name, "strata": s} for name, s in self.profiles.items()],
            "policy": {
                "calendar": "lottery",
                "cross_district": False,
                "embargo": "none",
                "relief": [],
                "substitution": "none",
                "undated": "list",
                "visit_limit": None,
            }
            | case.policy,
            "rates": [self.rate(task, strata) for task, strata in sorted(self.strata.items())],
            "software": {"name": "reference", "version": "1"},
            "voids": [],
        } | case.announcement
        self.announcement = self.lie("announcement", self.announcement)
        self.public["announcement.json"] = jcs(self.announcement)
        self.digest = self.h(self.public["announcement.json"]).hex()

    def rate(self, task: str, strata: list[dict[str, Json]]) -> Json:
        filled = [s for s in strata if s["size"]]
        rates = [Fraction(s["expected"]) / s["size"] for s in filled] or [Fraction(0)]
        small = [s["id"] for s in filled if s["size"] < 5 and Fraction(s["expected"]) in (0, s["size"])]
        return {
            "greatest": ratio(max(rates)),
            "least": ratio(min(rates)),
            "small": len(small) if self.case.sealed else sorted(small),
            "task": task,
        }

    def make_seed(self) -> None:
        beacon = self.announcement["beacon"]
        evidence: dict[str, Json] = {"keystring": None, "signature": None} | self.case.evidence
        if beacon["kind"] == "drand":
            evidence["randomness"] = hashlib.sha256(bytes.fromhex(evidence["signature"])).hexdigest()
        elif beacon["kind"] == "keystring":
            evidence["randomness"] = hashlib.sha256(evidence["keystring"].encode()).hexdigest()
        document = {key: beacon[key] for key in ("kind", "round", "source")} | evidence
        self.public["beacon.json"] = jcs(self.lie("beacon", document | {"type": "dualrandom/v1/beacon"}))
        document = json.loads(self.public["beacon.json"])
        lines = [
            "dualrandom/v1/seed",
            f"announcement {self.digest}",
            f"beacon {beacon['kind']} {beacon['source']} {beacon['round']}",
            f"randomness {document['randomness']}",
        ]
        for contribution in self.announcement["contributions"]:
            party = contribution["party"]
            nonce, revealed = self.case.nonces[party]
            lines.append(
                f"contribution {party} revealed {nonce}"
                if revealed
                else f"contribution {party} withheld {contribution['commitment']}"
            )
        lines = self.lie("statement", lines)
        self.public["seed.txt"] = "".join(line + "\n" for line in lines).encode()
        self.seed = self.h(self.public["seed.txt"]).hex()


def base64(data: bytes) -> str:
    import base64 as codec

    return codec.b64encode(data).decode()
