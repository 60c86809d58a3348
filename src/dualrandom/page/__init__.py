"""The page for people, made from the published documents alone (docs/protocol.md §10)."""

from dualrandom.page.index import render_index

__all__ = ["render_index"]
