"""No falsified record passes: random bytes, random values, and every legal-looking change of a plan."""

import copy
import importlib
import itertools
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.canonical import canonical
from dualrandom.verify import AuditorFiles, Report, verify_record

DECISIVE = (
    "announcement.json", "beacon.json", "frame.jsonl", "recusals.jsonl", "result.json", "roster.jsonl", "seed.txt",
)  # fmt: skip
"""Every byte of these is determined or committed in a drand draw."""


def failed(report: Report) -> list[str]:
    assert not any("internal error" in check.reason_en for check in report.checks), report
    return [check.name for check in report.checks if check.status == "FAIL"]


@pytest.fixture(scope="module")
def honest(built: dict[str, Any]) -> dict[str, bytes]:
    public: dict[str, bytes] = built["open-drand"].public
    return public


def edited(data: bytes, at: int, kind: str, byte: int) -> bytes:
    at %= len(data)
    if kind == "replace":
        return data[:at] + bytes([byte]) + data[at + 1 :]
    if kind == "insert":
        return data[:at] + bytes([byte]) + data[at:]
    if kind == "delete":
        return data[:at] + data[at + 1 :]
    return data[:at]


@given(
    name=st.sampled_from(DECISIVE),
    at=st.integers(0, 10**6),
    kind=st.sampled_from(["replace", "insert", "delete", "cut"]),
    byte=st.one_of(st.integers(0, 255), st.sampled_from(b'0123456789abcdef{}[]",:-\n')),
)
def test_one_changed_byte_of_a_decisive_file_is_found(
    honest: dict[str, bytes], name: str, at: int, kind: str, byte: int
) -> None:
    changed = edited(honest[name], at, kind, byte)
    if changed != honest[name]:
        assert failed(verify_record(honest | {name: changed}))


@given(
    name=st.sampled_from(
        [*DECISIVE, "strata.jsonl", "cutoffs.jsonl", "openings of frame", "openings of recusals"]
    ),
    at=st.integers(0, 10**6),
    kind=st.sampled_from(["replace", "insert", "delete", "cut"]),
    byte=st.one_of(st.integers(0, 255), st.sampled_from(b'0123456789abcdef{}[]",:-\n')),
)
def test_one_changed_byte_of_a_sealed_record_is_found_by_the_auditor(
    built: dict[str, Any], name: str, at: int, kind: str, byte: int
) -> None:
    record = built["sealed-drand"]
    public, openings = dict(record.public), dict(record.openings)
    files, key = (openings, name.rsplit(maxsplit=1)[-1]) if name.startswith("openings") else (public, name)
    changed = edited(files[key], at, kind, byte)
    if changed != files[key]:
        files[key] = changed
        assert failed(verify_record(public, AuditorFiles(record.case.secret, openings)))


@given(data=st.data())
def test_no_bytes_make_the_verifier_raise(built: dict[str, Any], data: st.DataObject) -> None:
    record = built[data.draw(st.sampled_from(sorted(built)))]
    name = data.draw(st.sampled_from(sorted(record.public)))
    files = record.public | {name: data.draw(st.binary(max_size=60))}
    auditor = AuditorFiles(record.case.secret, record.openings)
    if record.openings and data.draw(st.booleans()):
        opened = data.draw(st.sampled_from(sorted(record.openings)))
        auditor = AuditorFiles(
            data.draw(st.binary(max_size=40)), record.openings | {opened: data.draw(st.binary(max_size=60))}
        )
    failed(verify_record(files, auditor))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**54) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@given(data=st.data())
def test_a_changed_value_of_the_result_is_found(built: dict[str, Any], data: st.DataObject) -> None:
    record = built[data.draw(st.sampled_from(["open-drand", "open-scarce-local", "open-relief-local"]))]
    path = data.draw(st.sampled_from(places(record.result)))
    other = data.draw(st.sampled_from(places(record.result)))
    value = record.result
    for step in other:
        value = value[step]
    changed = replaced(record.result, path, data.draw(st.just(value) | JSON_VALUES))
    if changed != record.result or json.dumps(changed) != json.dumps(record.result):
        try:
            bytes_ = canonical(changed)
        except ValueError:
            return
        if bytes_ != record.public["result.json"]:
            assert failed(verify_record(record.public | {"result.json": bytes_}))


@given(data=st.data())
def test_a_changed_value_of_the_announcement_is_found(built: dict[str, Any], data: st.DataObject) -> None:
    record = built["open-drand"]
    path = data.draw(st.sampled_from(places(record.announcement)))
    changed = replaced(record.announcement, path, data.draw(JSON_VALUES))
    try:
        bytes_ = canonical(changed)
    except ValueError:
        return
    if bytes_ != record.public["announcement.json"]:
        assert failed(verify_record(record.public | {"announcement.json": bytes_}))


def neighbours(built: Any) -> list[list[list[str]]]:
    """All legal plans that differ from the drawn one by one replacement or one exchange of two people."""
    crews = built.network([visit for visit in built.visits if visit["date"]])
    plan: list[list[str]] = built.plan
    trials = []
    for number, (_, _, _, options) in enumerate(crews):
        pool = {person for seat in options for person in seat} - set(plan[number])
        for old, new in itertools.product(plan[number], sorted(pool)):
            people = sorted([new, *(p for p in plan[number] if p != old)])
            trials.append([*plan[:number], people, *plan[number + 1 :]])
    for one, two in itertools.combinations(range(len(plan)), 2):
        for a, b in itertools.product(plan[one], plan[two]):
            trial = list(plan)
            trial[one] = sorted([b, *(p for p in plan[one] if p != a)])
            trial[two] = sorted([a, *(p for p in plan[two] if p != b)])
            trials.append(trial)
    return [trial for trial in trials if trial != plan and legal(built, crews, trial)]


def legal(built: Any, crews: list[Any], plan: list[list[str]]) -> bool:
    slots = [(person, crew[2]) for crew, people in zip(crews, plan, strict=True) for person in people]
    names = [person for person, _ in slots]
    return (
        all(slots.count(slot) <= built.caps(slot[0])[0] for slot in slots)
        and all(names.count(name) <= built.caps(name)[1] for name in names)
        and all(
            len(set(people)) == len(people)
            and any(
                all(person in seat for person, seat in zip(order, crew[3], strict=True))
                for order in itertools.permutations(people)
            )
            for crew, people in zip(crews, plan, strict=True)
        )
    )


def test_every_legal_change_of_a_plan_is_refused(reference: ModuleType) -> None:
    make = importlib.import_module("small").small_case
    tried = 0
    for number in range(60):
        case = reference.Case(**make(number))
        built = reference.build(case)
        for trial in neighbours(built)[:8]:
            changed = reference.build(case, {"plan": lambda _built, _plan, trial=trial: trial})
            assert "prices" in failed(verify_record(changed.public)), (number, trial)
            tried += 1
    assert tried > 30


def test_every_other_day_of_a_visit_is_refused(reference: ModuleType) -> None:
    make = importlib.import_module("small").small_case
    tried = 0
    for number in range(12):
        case = reference.Case(**make(number))
        built = reference.build(case)
        for index, visit in enumerate(built.visits):
            for day in {*case.days, None} - {visit["date"]}:

                def tell(record: Any, visits: Any, index: int = index, day: str | None = day) -> Any:
                    visits[index]["date"] = day
                    dated = [v for v in visits if v["date"]]
                    fillable = reference.cheapest(record.network(dated), record.caps, None) is not None
                    return visits if fillable else None

                try:
                    changed = reference.build(case, {"dates": tell})
                except TypeError:
                    continue  # nobody can be seated on that day
                auditor = AuditorFiles(case.secret, changed.openings)
                assert "dates" in failed(verify_record(changed.public, auditor)), (number, index, day)
                tried += 1
    assert tried > 30
