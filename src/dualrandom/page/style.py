"""The style of the pages that are published and handed out, and the policy that admits nothing but it."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

STYLE = files("dualrandom.page").joinpath("style.css").read_text("utf-8").strip()
"""Nothing in it is loaded from elsewhere; elements carry no style attributes, so the policy admits just this."""

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""Content security policy: nothing may be loaded or run; the one style sheet is admitted by its digest."""
