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


def render_index(files: Mapping[str, bytes]) -> bytes:
    """Return the page of one draw as UTF-8 bytes.

    ``files`` maps names relative to the folder of the draw to bytes; whatever is not published yet is absent.
    Both languages are on the page; Chinese is shown first if the names are Chinese. Nothing is verified.
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
    """Documents name no language: a label that is written in Han characters says that readers are Chinese."""
    labels = documents.labels
    names = [documents.authority, *(documents.name("tasks", task) for task in documents.tasks)]
    if not labels:
        return "zh" if str(documents.announcement["timezone"]) in {"Asia/Shanghai", "Asia/Urumqi"} else "en"
    return "zh" if any(_is_han(character) for name in names for character in name.zh) else "en"


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")
