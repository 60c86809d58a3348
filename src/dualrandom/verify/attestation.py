"""attest.json: the form of the auditor's attestation, and the text that is signed (docs/protocol.md §15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dualrandom.verify import schema
from dualrandom.verify.report import CHECK_NAMES, Fault

NAME = "attest.json"
TYPE = "dualrandom/v1/attest"


@dataclass(frozen=True, slots=True)
class Attest:
    """What the auditor signed: digests of announcement, result and last change, and each check's verdict."""

    announcement: str
    auditor: bytes
    changes: str | None
    checks: Mapping[str, str]
    draw: str
    result: str
    signature: bytes

    def statement(self) -> bytes:
        """Return the text that is signed."""
        lines = [
            "dualrandom/v1/attest",
            f"draw {self.draw}",
            f"announcement {self.announcement}",
            f"result {self.result}",
            f"changes {self.changes or 'none'}",
            *(f"check {name} {status}" for name, status in self.checks.items()),
        ]
        return "".join(f"{line}\n" for line in lines).encode()


def parse_attest(data: bytes) -> Attest:
    """Parse attest.json. Raises Fault for anything that is not of its form."""
    document = schema.record(
        schema.parsed(data, NAME),
        NAME,
        ("announcement", "auditor", "changes", "checks", "draw", "result", "signature", "type"),
    )
    schema.choice(TYPE)(document["type"], f"{NAME}: type")
    checks: dict[str, str] = {}
    for i, entry in enumerate(schema.array(document["checks"], f"{NAME}: checks")):
        where = f"{NAME}: checks[{i}]"
        found = schema.record(entry, where, ("name", "status"))
        name = schema.ident(found["name"], f"{where}.name")
        if name in checks:
            raise Fault(f"{where} 重复 {name}", f"{where} repeats {name}")
        checks[name] = schema.choice("PASS", "NOT CHECKED")(found["status"], f"{where}.status")
    if tuple(checks) != CHECK_NAMES:
        raise Fault(
            f"{NAME} 的 checks 应为全部检查，依 §12 的次序",
            f"{NAME}: checks should be all checks in the order of §12",
        )
    return Attest(
        announcement=schema.hex64(document["announcement"], f"{NAME}: announcement"),
        auditor=schema.binary(document["auditor"], f"{NAME}: auditor", 32),
        changes=schema.maybe(document["changes"], f"{NAME}: changes", schema.hex64),
        checks=checks,
        draw=schema.ident(document["draw"], f"{NAME}: draw"),
        result=schema.hex64(document["result"], f"{NAME}: result"),
        signature=schema.binary(document["signature"], f"{NAME}: signature", 64),
    )
