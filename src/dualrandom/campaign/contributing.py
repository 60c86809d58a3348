"""The parties' random numbers in a campaign: those made here, and those whose files lie in ``contributions/``.

    contributions/<party>.commitment.json   before the announcement, from a party that made its own nonce
    contributions/<party>.reveal.json       after it

A party whose commitment is neither there nor in the plan gets its nonce here, in ``private/nonces/``: that helps against
a beacon that fails, not against this office.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from dualrandom.announcement import SignedContribution
from dualrandom.campaign.folder import Campaign, StateError, public_base64, secret_hex, signing_key
from dualrandom.contribution import (
    COMMITMENT_FILE,
    REVEAL_FILE,
    Contribution,
    read_contribution,
    read_reveal,
    require_signed,
)
from dualrandom.errors import DualRandomError, Problem
from dualrandom.hashing import suite_digest
from dualrandom.policy.plan import Plan
from dualrandom.seed import commitment_of, contribution_statement

FOLDER = "contributions"


def contributions_of(
    plan: Plan, campaign: Campaign, draw: str, *, fresh: bool
) -> tuple[list[SignedContribution], dict[str, bytes]]:
    """Return each party's signed commitment, and the private files to write for parties that did not bring their own.

    ``fresh``: a voided draw's nonces are not used again. Raises DualRandomError (see :mod:`dualrandom.contribution`), and
    ``contribution-for-another-draw``, ``party-unknown`` for a file in ``contributions/``.
    """
    _require_known(plan, campaign)
    result: list[SignedContribution] = []
    new: dict[str, bytes] = {}
    for one in plan.contributions:
        given = _given(plan, campaign, draw, one.party)
        if given is None and one.key and one.commitment and one.signature:
            given = Contribution(draw, one.party, plan.suite, one.key, one.commitment, one.signature)
            require_signed(given)
        if given is not None:
            result.append(SignedContribution(one.party, given.key, given.commitment, given.signature))
            continue
        nonce, written = secret_hex(campaign.private, f"nonces/{one.party}", fresh=fresh)
        new |= written
        key, written = signing_key(campaign.private, f"keys/{one.party}")
        new |= written
        commitment = commitment_of(draw, one.party, nonce, suite_digest(plan.suite))
        signature = key.sign(contribution_statement(draw, one.party, commitment))
        result.append(
            SignedContribution(
                one.party, public_base64(key), commitment, base64.b64encode(signature).decode()
            )
        )
    return result, new


def made_here(plan: Plan, campaign: Campaign) -> Iterator[Problem]:
    """Warn about parties whose nonces announcing would make here."""
    for one in plan.contributions:
        path = campaign.folder / FOLDER / COMMITMENT_FILE.format(party=one.party)
        if one.commitment is None and not path.exists():
            yield Problem(
                "nonce-made-here",
                "plan.toml",
                None,
                None,
                "contributions",
                one.party,
                f"{one.party} 的随机数将由本单位生成：它不能防范本单位",
                f"the nonce of {one.party} is made by this office: it is no safeguard against this office",
                f"请该部门运行 dualrandom contribute，把所得承诺文件放入 {FOLDER}/。",
                f"Ask the party to run dualrandom contribute, and put its commitment's file into {FOLDER}/.",
                severity="warning",
            )


def nonce_of(campaign: Campaign, document: Mapping[str, Any], party: str) -> str | None:
    """Return an announced party's nonce, or None if it is not here. Raises DualRandomError ``nonce-differs``, ``contribution-file``."""
    path = campaign.folder / FOLDER / REVEAL_FILE.format(party=party)
    if path.exists():
        nonce, place = read_reveal(path.read_bytes(), str(path), document["draw"], party), str(path)
    elif (campaign.private / "nonces" / party).exists():
        nonce, _ = secret_hex(campaign.private, f"nonces/{party}")
        place = f"private/nonces/{party}"
    else:
        return None
    committed = {one["party"]: one["commitment"] for one in document["contributions"]}
    if commitment_of(document["draw"], party, nonce, suite_digest(document["suite"])) != committed[party]:
        raise StateError(
            "nonce-differs",
            party,
            {
                "zh": f"{party} 的随机贡献与其承诺不符",
                "en": f"the nonce of {party} does not match its commitment",
            },
            {
                "zh": f"恢复 {place}，或删去它（按未揭示处理）。",
                "en": f"Restore {place}, or remove it (it then counts as withheld).",
            },
        )
    return nonce


def _given(plan: Plan, campaign: Campaign, draw: str, party: str) -> Contribution | None:
    path = campaign.folder / FOLDER / COMMITMENT_FILE.format(party=party)
    if not path.exists():
        return None
    given = read_contribution(path.read_bytes(), str(path))
    if (given.draw, given.party, given.suite) == (draw, party, plan.suite):
        return given
    raise StateError(
        "contribution-for-another-draw",
        str(path),
        {
            "zh": f"{path} 是 {given.party} 为抽取 {given.draw}（{given.suite}）所作的承诺，不是 {party} 为 {draw}（{plan.suite}）",
            "en": f"{path} is the commitment of {given.party} for draw {given.draw} ({given.suite}), not of {party} for {draw} "
            f"({plan.suite})",
        },
        {
            "zh": f"请该部门对抽取编号 {draw} 重新运行 dualrandom contribute（作废后编号会变）。",
            "en": f"Ask the party to run dualrandom contribute for draw {draw} (the number changes after a void).",
        },
    )


def _require_known(plan: Plan, campaign: Campaign) -> None:
    """Refuse a commitment of a party that the plan does not name: it would be left out without a word."""
    known = {COMMITMENT_FILE.format(party=one.party) for one in plan.contributions}
    for path in sorted((campaign.folder / FOLDER).glob(COMMITMENT_FILE.format(party="*"))):
        if path.name not in known:
            raise DualRandomError(
                "party-unknown",
                str(path),
                {
                    "zh": f"计划中没有参与方 {path.name.partition('.')[0]}",
                    "en": f"the plan names no party {path.name.partition('.')[0]}",
                },
                {
                    "zh": "在 plan.toml 加入 [[contributions]] party，或移走该文件。",
                    "en": "Add [[contributions]] party to plan.toml, or take the file away.",
                },
            )
