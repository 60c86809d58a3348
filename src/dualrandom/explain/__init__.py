"""Why an enterprise or an inspector was drawn or not, with the arithmetic that a person can redo with ``sha256sum``.

Everything is derived again from the unchanged inputs, the secrets of the office and the published seed; nothing is
solved. An explanation holds what a sealed draw hides: it is for the office, the enterprise concerned and the auditor.
"""

from dualrandom.explain.context import Context, read_context
from dualrandom.explain.enterprise import explain_enterprise
from dualrandom.explain.inspector import explain_inspector

__all__ = ["Context", "explain_enterprise", "explain_inspector", "read_context"]
