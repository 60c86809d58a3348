"""``index.html``: one static page without scripts, from the published documents (docs/protocol.md §10)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from dualrandom.page.closing import footer, limits, raw_documents
from dualrandom.page.documents import Documents, read_documents
from dualrandom.page.figures import statistics
from dualrandom.page.markup import join, page, tag
from dualrandom.page.opening import contents, opening, title
from dualrandom.page.plan import items, plan
from dualrandom.page.seed import check, seed
from dualrandom.page.style import POLICY, STYLE
from dualrandom.page.visits import visits

_CHINESE_ZONES = {
    f"Asia/{city}" for city in ("Chongqing", "Hong_Kong", "Macau", "Shanghai", "Taipei", "Urumqi")
}


def render_index(files: Mapping[str, bytes]) -> bytes:
    """Return the page of one draw as UTF-8 bytes.

    ``files`` maps names relative to the folder of the draw to bytes; whatever is not published yet is absent.
    Both languages are on the page; the one shown first follows the time zone. Nothing is verified.
    Raises DualRandomError ``no-announcement`` or ``not-canonical``.
    """
    documents = read_documents(files)
    body = join(
        opening(documents),
        contents(),
        tag(
            "main",
            plan(documents),
            seed(documents),
            check(documents, files),
            visits(documents),
            items(documents),
            statistics(documents),
            limits(documents),
            raw_documents(documents),
        ),
        footer(documents),
    )
    return page(title(documents), _first_language(documents), STYLE, POLICY, body)


def _first_language(documents: Documents) -> str:
    """Documents name no language: readers are Chinese where the time zone is, or where names have no other form."""
    if documents.announcement["timezone"] in _CHINESE_ZONES:
        return "zh"
    names = [documents.authority, *(documents.name("tasks", task) for task in documents.tasks)]
    return "zh" if any(_is_han(character) for name in names for character in name.en) else "en"


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")
