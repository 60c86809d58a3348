"""The independent verifier: from the bytes of a published draw to named checks (docs/protocol.md §12).

Written from the protocol page alone. It shares with the drawing code only canonical JSON, hashing and the ticket, and
needs neither solver nor numpy.
"""

from dualrandom.verify.folder import AuditorFiles, read_auditor, read_public
from dualrandom.verify.record import Progress, verify_record
from dualrandom.verify.report import CHECK_NAMES, Check, Report, Status

__all__ = [
    "CHECK_NAMES",
    "AuditorFiles",
    "Check",
    "Progress",
    "Report",
    "Status",
    "read_auditor",
    "read_public",
    "verify_record",
]
