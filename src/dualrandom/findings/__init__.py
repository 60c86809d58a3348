"""Findings (检查结果): reading the departments' sheets, publishing them append-only, counting them as done.

docs/protocol.md §10 is the authority for codes, methods and the document.
"""

from dualrandom.findings.document import merge_findings
from dualrandom.findings.ledger import ledger_file, ledger_rows
from dualrandom.findings.row import FindingRow
from dualrandom.findings.sheet import read_findings

__all__ = ["FindingRow", "ledger_file", "ledger_rows", "merge_findings", "read_findings"]
