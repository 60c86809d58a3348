"""Which language a command speaks: what was asked for, else the plan's, else the machine's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dualrandom.errors import Language
from dualrandom.toml_text import read_toml


def language_of_machine(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language of the locale variables, in POSIX order of precedence; English if there is none."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def language_of_plan(campaign: Path | None) -> Language | None:
    """Return the language that a campaign's plan names; None if no plan can be read (others report why)."""
    if campaign is None:
        return None
    try:
        plan = read_toml((campaign / "plan.toml").read_text("utf-8-sig")).get("plan")
    except (OSError, ValueError):
        return None
    named = plan.get("language") if isinstance(plan, dict) else None
    if named == "zh":
        return "zh"
    return "en" if named == "en" else None


def language_in(arguments: list[str]) -> Language | None:
    """Return the value of ``--language`` in a command line that may not be valid otherwise."""
    found: Language | None = None
    for position, argument in enumerate(arguments):
        value = argument.partition("=")[2] if argument.startswith("--language=") else None
        if argument == "--language" and position + 1 < len(arguments):
            value = arguments[position + 1]
        if value == "zh":
            found = "zh"
        elif value == "en":
            found = "en"
    return found
