"""How many of all enterprises violate the rules, from the findings of a random draw (docs/sampling.md)."""

from dualrandom.estimate.documents import estimate_document
from dualrandom.estimate.text import render_estimate

__all__ = ["estimate_document", "render_estimate"]
