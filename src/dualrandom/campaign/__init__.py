"""A campaign folder: one plan, its libraries, what is private, what is published. The only part of the domain that does I/O.

campaign/
  plan.toml  enterprises.*  inspectors.*  items.*  recusals.*  visits.*
  public/    announcement, lists, seed, result … all that is published
  private/   list secret, nonces, keys, openings (folder 0700, files 0600)
  exports/   visit lists, task sheets, calendars for the departments
"""

from dualrandom.campaign.announcing import Announced, announce
from dualrandom.campaign.changing import Change, exclude, replace_inspector, substitute, withdraw
from dualrandom.campaign.closing import Recorded, Voided, record_findings, void
from dualrandom.campaign.drawing import DrawnSummary, draw
from dualrandom.campaign.folder import Campaign, StateError, WaitingError
from dualrandom.campaign.inputs import Inputs, Prepared, load_inputs, prepare
from dualrandom.campaign.witnessing import Cosigned, Revealed, cosign, reveal

__all__ = [
    "Announced",
    "Campaign",
    "Change",
    "Cosigned",
    "DrawnSummary",
    "Inputs",
    "Prepared",
    "Recorded",
    "Revealed",
    "StateError",
    "Voided",
    "WaitingError",
    "announce",
    "cosign",
    "draw",
    "exclude",
    "load_inputs",
    "prepare",
    "record_findings",
    "replace_inspector",
    "reveal",
    "substitute",
    "void",
    "withdraw",
]
