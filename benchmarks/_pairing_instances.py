"""Instances for the pairing benchmark and the solver's tests: synthetic districts, and public files as pairings.

Synthetic ones are made up and say so; they look like a month of a city: departments of unequal size, districts,
two or three seats a crew, some needing a leader, absences and recusals. The public ones are reviewer-to-paper
similarities (MIT, YixuanEvenXu/perturbed-maximization) and a nurse roster of the second international competition
(MIT, wssuite/NurseScheduler); what they do not contain (ties broken, caps) is stated with each reader.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dualrandom_solver import Instance


def synthetic(
    crews: int,
    *,
    pairs_per_crew: int = 105,
    days: int = 22,
    daily: int = 2,
    utilisation: float = 0.75,
    presence: float = 0.9,
    departments: int = 14,
    districts: int = 5,
    special: float = 0.5,
    cost_limit: int = 1 << 40,
    seed: int = 1,
) -> Instance:
    """About ``crews`` crews. ``utilisation`` is seats over all persons' period caps; 1 and more cannot be filled."""
    rng = np.random.default_rng([seed, crews])
    visits = max(1, round(crews / 1.9))
    district = rng.choice(districts, size=visits, p=_shares(districts, 1.5))
    width = np.minimum(rng.choice([1, 2, 3], size=visits, p=[0.35, 0.4, 0.25]), departments)
    weight = np.log(_shares(departments, 1.2)) + rng.gumbel(size=(visits, departments))
    by_taste = np.argsort(-weight, axis=1)  # a sample without replacement, by Gumbel's trick
    crew_visit = np.repeat(np.arange(visits), width)
    crew_department = by_taste[np.arange(departments) < width[:, None]]
    pool = crew_department * districts + district[crew_visit]
    size = rng.choice([2, 3], size=len(pool), p=[0.85, 0.15])

    pools = departments * districts
    per_pool = np.bincount(pool, minlength=pools)
    people = np.maximum(
        5, np.round(pairs_per_crew * per_pool / max(1.0, float(per_pool[pool].mean())))
    ).astype(int)
    person_pool = np.repeat(np.arange(pools), people)
    first = np.cumsum(people) - people
    seats = np.bincount(pool, weights=size, minlength=pools)
    total = np.maximum(1, np.round(seats / utilisation / people)).astype(np.int64)[person_pool]
    leads = rng.random(len(person_pool)) < 0.35
    leads[first] = True

    length = people[pool]
    indptr = np.concatenate([[0], np.cumsum(length)])
    crew = np.repeat(np.arange(len(pool)), length)
    person = first[pool[crew]] + np.arange(indptr[-1]) - np.repeat(indptr[:-1], length)
    full = (1 << size) - 1
    needs_leader = rng.random(len(pool)) < special
    seats_open = np.where(leads[person] | ~needs_leader[crew], full[crew], full[crew] & ~1)
    seats_open[rng.random(len(crew)) < 0.02] = 0  # recusals
    cost = rng.integers(0, cost_limit, size=len(crew))
    return Instance(
        days=days,
        daily=np.full(len(person_pool), daily),
        total=total,
        absent=rng.random((len(person_pool), days)) >= presence,
        visit_indptr=np.arange(visits + 1) * days,
        visit_days=np.argsort(rng.random((visits, days)), axis=1).ravel(),
        visit_group=np.arange(visits),
        crew_visit=crew_visit,
        seat_indptr=np.concatenate([[0], np.cumsum(size)]),
        cand_indptr=indptr,
        cand_person=person,
        cand_cost=cost,
        cand_seats=seats_open.astype(np.uint64),
        cand_rank=ranks(cost, indptr),
    )


def undated(crews: int, *, pairs_per_crew: int = 65, utilisation: float = 0.75, seed: int = 1) -> Instance:
    """One day on which everybody may serve as often as in the whole period: the pairing without dates."""
    return synthetic(
        crews,
        pairs_per_crew=pairs_per_crew,
        days=1,
        daily=1 << 20,
        utilisation=utilisation,
        presence=1.0,
        seed=seed,
    )


def _shares(count: int, exponent: float) -> np.ndarray:
    shares = 1.0 / np.arange(1, count + 1) ** exponent
    return shares / shares.sum()


def ranks(cost: np.ndarray, indptr: np.ndarray) -> np.ndarray:
    """Rank of each candidate within its crew by (cost, place in the list)."""
    crew = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((cost, crew))
    result = np.empty(len(cost), dtype=np.int64)
    result[order] = np.arange(len(cost)) - np.repeat(indptr[:-1], np.diff(indptr))
    return result


def read_similarities(path: Path, reviewers_a_paper: int = 3, slack: float = 1.25) -> Instance:
    """A matrix ``papers x reviewers``: a paper is a crew of equal seats, 0 is a conflict of interest.

    Cost falls with similarity; its low bits are random, for the file has few values and so many ties. Caps are the
    even share of papers times ``slack``.
    """
    lines = path.read_text(encoding="ascii").split("\n")
    papers, reviewers = (int(part) for part in lines[0].split())
    similarity = np.array([[float(part) for part in line.split()] for line in lines[1 : papers + 1]])
    similarity = similarity[:, :reviewers]
    paper, reviewer = np.nonzero(similarity)
    indptr = np.searchsorted(paper, np.arange(papers + 1))
    noise = np.random.default_rng(2026).integers(0, 1 << 24, size=len(paper))
    cost = (np.round((1 - similarity[paper, reviewer]) * (1 << 10)).astype(np.int64) << 24) + noise
    cap = np.full(reviewers, int(np.ceil(papers * reviewers_a_paper / reviewers * slack)))
    return Instance(
        days=1,
        daily=cap,
        total=cap,
        absent=np.zeros((reviewers, 1), dtype=bool),
        visit_indptr=np.arange(papers + 1),
        visit_days=np.zeros(papers, dtype=np.int64),
        visit_group=np.arange(papers),
        crew_visit=np.arange(papers),
        seat_indptr=np.arange(papers + 1) * reviewers_a_paper,
        cand_indptr=indptr,
        cand_person=reviewer,
        cand_cost=cost,
        cand_seats=np.full(len(paper), (1 << reviewers_a_paper) - 1, dtype=np.uint64),
        cand_rank=ranks(cost, indptr),
    )


def read_roster(folder: Path) -> Instance:
    """An INRC-II folder (scenario and weeks): each day's shift is a visit, each skill it needs at least a crew.

    A nurse serves one crew a day and at most the contract's assignments in all; sequences of shifts and rests
    are left out, for a pairing has none. A shift off that was asked for costs more than any random part.
    """
    scenario = _sections(next(folder.glob("Sc-*.txt")))
    contracts = {row[0]: int(row[1].strip("()").split(",")[1]) for row in scenario["CONTRACTS"]}
    nurses = [row[0] for row in scenario["NURSES"]]
    total = np.array([contracts[row[1]] for row in scenario["NURSES"]])
    skills = [set(row[3:]) for row in scenario["NURSES"]]
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    weeks = [_sections(path) for path in sorted(folder.glob("WD-*.txt"))]
    visits: dict[tuple[int, str], int] = {}
    crew_visit, sizes, person, dislike, indptr = [], [], [], [], [0]
    for week, sections in enumerate(weeks):
        off = {(row[0], row[1], row[2]) for row in sections["SHIFT_OFF_REQUESTS"]}
        for shift, skill, *needs in sections["REQUIREMENTS"]:
            for weekday, need in enumerate(needs):
                least = int(need.strip("()").split(",")[0])
                if not least:
                    continue
                crew_visit.append(visits.setdefault((week * 7 + weekday, shift), len(visits)))
                sizes.append(least)
                able = [number for number, known in enumerate(skills) if skill in known]
                person += able
                asked = names[weekday]
                dislike += [
                    (nurses[n], shift, asked) in off or (nurses[n], "Any", asked) in off for n in able
                ]
                indptr.append(len(person))
    days = 7 * len(weeks)
    cost = np.random.default_rng(2026).integers(0, 1 << 30, size=len(person)) + (
        np.array(dislike) * (1 << 36)
    )
    bounds = np.array(indptr)
    width = np.array(sizes)
    return Instance(
        days=days,
        daily=np.ones(len(nurses), dtype=np.int64),
        total=total,
        absent=np.zeros((len(nurses), days), dtype=bool),
        visit_indptr=np.arange(len(visits) + 1),
        visit_days=np.array([day for day, _ in visits]),
        visit_group=np.arange(len(visits)),
        crew_visit=np.array(crew_visit),
        seat_indptr=np.concatenate([[0], np.cumsum(width)]),
        cand_indptr=bounds,
        cand_person=np.array(person),
        cand_cost=cost,
        cand_seats=np.repeat((1 << width) - 1, np.diff(bounds)).astype(np.uint64),
        cand_rank=ranks(cost, bounds),
    )


def _sections(path: Path) -> dict[str, list[list[str]]]:
    """Lines under each heading of an INRC-II file, split at blanks. A heading is a line in capitals."""
    sections: dict[str, list[list[str]]] = {}
    heading = ""
    for line in path.read_text(encoding="ascii").splitlines():
        parts = line.split()
        if parts and parts[0].isupper() and not any(mark.isdigit() for mark in parts[0]):
            heading = parts[0]
            sections[heading] = []
        elif parts:
            sections[heading].append(parts)
    return sections
