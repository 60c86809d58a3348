"""Does a way of drawing give everybody the chance that was announced? (docs/sampling.md)."""

from dualrandom.fairness.audit import audit, audit_seed
from dualrandom.fairness.report import render_audit

__all__ = ["audit", "audit_seed", "render_audit"]
