"""A POST with an Idempotency-Key counts once: its answer is kept with what it did, whatever happens to the server."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from sqlmodel import Session, select

from dualrandom.store import repeats
from dualrandom.store.database import StaleError
from dualrandom.store.tables import Department, Repeat
from dualrandom_api.service.handlers.keeping_house import keep_house

PATH = "/v1/departments"


def department(name: str) -> dict[str, Any]:
    return {"id": name, "name": "某局", "name_en": "Some", "seats": [["leader"], []]}


def post(office: Any, key: str, body: dict[str, Any], path: str = PATH, who: str = "dispatcher") -> Any:
    return office.as_(who).post(path, json=body, headers={"Idempotency-Key": key})


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def names(office: Any) -> list[str]:
    with office.service.database.reading() as session:
        return list(session.scalars(select(Department.id)))


def test_a_repeated_request_gets_the_answer_that_it_got(office: Any) -> None:
    first = post(office, "key-of-first", department("first"))
    again = post(office, "key-of-first", department("first"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert names(office).count("first") == 1
    # without the key it is another request
    assert code(office.as_("dispatcher").post(PATH, json=department("first"))) == "department-exists"


def test_etag_and_location_are_repeated_too(office: Any) -> None:
    body = {"username": "twice", "name": "韩梅", "role": "auditor", "password": "Ordinary-27-horses"}
    first, again = (post(office, "key-of-twice", body, "/v1/users") for _ in range(2))
    for name in ("ETag", "Location", "Content-Type"):
        assert first.headers[name] == again.headers[name]


def test_another_request_under_the_same_key_is_refused(office: Any) -> None:
    assert post(office, "key-of-other", department("other")).status_code == 201
    refused = post(office, "key-of-other", department("another"))
    assert (refused.status_code, code(refused)) == (422, "repeat-differs")
    elsewhere = post(office, "key-of-other", department("other"), "/v1/users")
    assert code(elsewhere) == "repeat-differs"
    assert "another" not in names(office)


def test_a_key_is_somebodys_own(office: Any) -> None:
    assert post(office, "key-of-two-people", department("theirs")).status_code == 201
    mine = post(office, "key-of-two-people", department("mine"), who="dispatcher2")
    assert mine.status_code == 201
    assert {"theirs", "mine"} <= set(names(office))


def test_a_refusal_is_not_kept_and_may_be_tried_again(office: Any) -> None:
    body = {"name": "k", "scopes": ["departments:read"]}
    path = "/v1/departments/later/api-keys"
    assert code(post(office, "key-of-later", body, path)) == "unknown-department"
    assert post(office, "key-to-make-later", department("later")).status_code == 201
    assert post(office, "key-of-later", body, path).status_code == 202


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space in it"])
def test_a_key_has_a_form(office: Any, key: str) -> None:
    refused = post(office, key, department("formless"))
    assert (refused.status_code, code(refused)) == (400, "header-invalid")


def test_what_is_kept_is_sealed(office: Any) -> None:
    body = {"name": "secret", "scopes": ["departments:read"]}
    path = "/v1/departments/amr/api-keys"
    prefix = office.approved(post(office, "key-to-ask", body, path))["result"]["prefix"]
    collection = f"{path}/{prefix}/collection"
    first, again = (post(office, "key-of-a-secret", {}, collection) for _ in range(2))
    assert first.json()["key"] == again.json()["key"]
    with office.service.database.reading() as session:
        kept = session.get(Repeat, ("user:dispatcher", "key-of-a-secret"))
    assert first.json()["key"] not in kept.body


def begun(office: Any, key: str, body: bytes, path: str = PATH) -> repeats.Note:
    """Leave a note as a server does that died while it answered."""
    import hashlib

    digest = hashlib.sha256(f"POST {path}?\0".encode() + b"\0" + body).hexdigest()
    note = repeats.begin(
        office.service.database, "user:dispatcher", key, digest, office.clock(), timedelta(seconds=30)
    )
    assert isinstance(note, repeats.Note)
    return note


def test_while_a_request_is_answered_the_same_one_waits(office: Any) -> None:
    import json

    body = json.dumps(department("waiting"), separators=(",", ":"), ensure_ascii=False).encode()
    begun(office, "key-of-waiting", body)
    headers = {"Idempotency-Key": "key-of-waiting", "Content-Type": "application/json"}
    waits = office.as_("dispatcher").post(PATH, content=body, headers=headers)
    assert (waits.status_code, code(waits)) == (409, "repeat-in-progress")
    assert int(waits.headers["Retry-After"]) >= 1
    # its server died: nothing was done, and the request may be sent again
    office.clock.pass_(seconds=31)
    done = office.as_("dispatcher").post(PATH, content=body, headers=headers)
    assert done.status_code == 201
    assert names(office).count("waiting") == 1


def test_a_server_that_was_thought_dead_can_no_longer_keep_what_it_did(office: Any) -> None:
    late = begun(office, "key-of-late", b"{}")
    office.clock.pass_(seconds=31)
    begun(office, "key-of-late", b"{}")

    def keep() -> None:
        with office.service.database.writing() as session:
            session.add(Department(id="late", name="x", name_en="x", seats=[[]]))
            repeats.keep(session, late, 201, {}, "")

    with pytest.raises(StaleError):
        keep()
    assert "late" not in names(office)


def test_effect_and_answer_are_kept_together_or_not_at_all(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(session: Session, *_: Any) -> None:
        session.flush()
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(repeats, "keep", dies)
        assert post(office, "key-of-dying", department("dying")).status_code == 500
    assert "dying" not in names(office)
    assert post(office, "key-of-dying", department("dying")).status_code == 201


def test_of_many_at_once_one_is_done(office: Any) -> None:
    answers: list[Any] = []
    client = office.as_("dispatcher")

    def send() -> None:
        headers = {"Idempotency-Key": "key-of-many"}
        answers.append(client.post(PATH, json=department("many"), headers=headers))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert {answer.content for answer in done} == {done[0].content}
    assert {code(answer) for answer in answers if answer.status_code != 201} <= {"repeat-in-progress"}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in done) == 1
    assert names(office).count("many") == 1


def test_after_a_day_the_key_is_forgotten(office: Any) -> None:
    assert post(office, "key-of-a-day", department("daily")).status_code == 201
    office.clock.pass_(hours=25)
    keep_house(office.service)
    office.run_jobs()
    with office.service.database.reading() as session:
        assert session.get(Repeat, ("user:dispatcher", "key-of-a-day")) is None


def test_more_requests_than_threads_do_not_wait_for_each_other_for_ever(office: Any) -> None:
    """Each holds the office's row until its answer is kept, for which it needs a thread, while others wait for that row in all of them."""
    headers = {"Authorization": office.as_("dispatcher").headers["Authorization"]}

    async def all_at_once() -> list[Any]:
        transport = ASGITransport(app=office.app)
        async with AsyncClient(transport=transport, base_url="http://testserver", timeout=None) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        PATH,
                        json=department(f"crowd{number}"),
                        headers={**headers, "Idempotency-Key": f"key-of-crowd-{number}"},
                    )
                    for number in range(60)
                )
            )

    answers = asyncio.run(all_at_once())
    assert {answer.status_code for answer in answers} == {201}
    assert len([name for name in names(office) if name.startswith("crowd")]) == 60


def test_who_was_overtaken_by_a_repetition_is_told_to_ask_again(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_: Any) -> None:
        raise StaleError("repeat")

    monkeypatch.setattr(repeats, "keep", overtaken)
    refused = post(office, "key-of-overtaken", department("overtaken"))
    assert (refused.status_code, code(refused)) == (409, "repeat-in-progress")
    assert "overtaken" not in names(office)
