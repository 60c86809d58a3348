"""Exports of one draw for the people who work with it: private, unlike the published record.

:func:`write_exports` writes the list of visits, a task sheet and a calendar per department, the shape of a provincial
platform, and a summary. All bytes are functions of the draw.
"""

from dualrandom.exports.view import ExportView
from dualrandom.exports.writing import write_exports

__all__ = ["ExportView", "write_exports"]
