"""What holds for every request: ids, headers, limits, sizes, crashes; and that a proxy is believed only if it is one."""

import ipaddress
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dualrandom_api.service.documents import DocumentCache
from dualrandom_api.service.limits import Limit, address_of


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_every_answer_has_an_id_and_keeps_a_sensible_one(fresh: Any) -> None:
    first, second = fresh.public.get("/healthz"), fresh.public.get("/healthz")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    given = fresh.public.get("/healthz", headers={"X-Request-Id": "0f8fad5b-d9cb-469f"})
    assert given.headers["X-Request-Id"] == "0f8fad5b-d9cb-469f"
    foul = fresh.public.get("/healthz", headers={"X-Request-Id": 'x" onload=1'})
    assert foul.headers["X-Request-Id"] != 'x" onload=1'
    refused = fresh.public.get("/v1/me")
    assert refused.json()["request_id"] == refused.headers["X-Request-Id"]


def test_every_answer_says_what_a_browser_may_do_with_it(fresh: Any) -> None:
    for path in ("/healthz", "/v1/me", "/nothing", "/v1/public/draws", "/v1/openapi.json"):
        headers = fresh.public.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Referrer-Policy"] == "no-referrer"


def test_head_is_get_without_a_body(fresh: Any) -> None:
    head = fresh.public.head("/v1/public/draws")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(fresh.public.get("/v1/public/draws").content)
    # a stream has no head worth waiting for
    assert fresh.as_("amr").head("/v1/jobs/1/events").status_code == 405


def test_unknown_addresses_and_methods_are_problems_too(fresh: Any) -> None:
    missing = fresh.public.get("/v1/nothing")
    assert (missing.status_code, code(missing)) == (404, "not-found")
    wrong = fresh.public.delete("/v1/public/draws")
    assert (wrong.status_code, code(wrong), wrong.headers["Allow"]) == (405, "method-not-allowed", "GET")
    for answer in (missing, wrong):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(answer.json()["details"]) == set(answer.json()["remedy"]) == {"en", "zh"}


def test_a_crash_tells_the_caller_its_number_and_nothing_else(
    fresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("secret of the server")

    monkeypatch.setattr("dualrandom.store.published.draws", crash)
    answer = fresh.public.get("/v1/public/draws")
    assert (answer.status_code, code(answer)) == (500, "internal-error")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_a_database_that_is_away_is_told_with_when_to_come_again(
    fresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused at 10.0.0.7"))

    monkeypatch.setattr("dualrandom.store.published.draws", away)
    answer = fresh.public.get("/v1/public/draws")
    assert (answer.status_code, code(answer), answer.headers["Retry-After"]) == (503, "unavailable", "5")
    assert "10.0.0.7" not in answer.text
    monkeypatch.setattr(type(fresh.service.database), "is_ready", lambda _: False)
    assert fresh.public.get("/readyz").status_code == 503
    assert fresh.public.get("/healthz").status_code == 200


def test_who_waits_too_long_for_another_change_is_told_when_to_come_again(office: Any) -> None:
    from dualrandom.store.database import locked
    from dualrandom.store.tables import Office

    client = settings_with(office, lock_seconds=0.2)
    body = {"username": "dispatcher", "password": "wrong"}
    with office.service.database.writing() as session:
        assert locked(session, Office, 1) is not None
        waited = client.post("/v1/sessions", json=body)
    assert (waited.status_code, code(waited), waited.headers["Retry-After"]) == (503, "unavailable", "5")
    assert client.post("/v1/sessions", json=body).status_code == 401
    client.app.state.service.database.close()


def test_a_body_has_a_longest_length_whether_or_not_it_is_announced(fresh: Any) -> None:
    client = fresh.as_("dispatcher")
    headers = {"Content-Type": "application/json"}
    big = b'{"id": "' + b"x" * (1 << 20) + b'"}'
    for content in (big, iter([big[:1000], big[1000:]])):
        answer = client.post("/v1/departments", content=content, headers=headers)
        assert (answer.status_code, code(answer)) == (413, "body-too-large")
    malformed = client.post("/v1/departments", content=b"{", headers=headers)
    assert (malformed.status_code, code(malformed)) == (400, "malformed-request")
    # who may not call a route learns so before anything is read
    assert fresh.public.post("/v1/departments", content=b"{", headers=headers).status_code == 401
    assert fresh.as_("amr").post("/v1/departments", content=b"{", headers=headers).status_code == 403


def settings_with(fresh: Any, **changed: Any) -> Any:
    from dualrandom_api.service.application import create_service

    app = create_service(fresh.service.settings.model_copy(update=changed), clock=fresh.clock)
    return TestClient(app, client=("203.0.113.9", 1000))


def test_tries_of_passwords_are_counted_for_all_servers_together(office: Any) -> None:
    office.clock.pass_(seconds=180)  # tries that other tests made from here no longer count
    one, two = (settings_with(office, sign_ins_per_minute=4) for _ in range(2))
    body = {"username": "dispatcher", "password": "wrong"}
    answers = [client.post("/v1/sessions", json=body) for client in (one, two, one, two, one, two)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2
    assert code(answers[-1]) == "too-many-requests"
    office.clock.pass_(seconds=int(answers[-1].headers["Retry-After"]) + 45)
    assert one.post("/v1/sessions", json=body).status_code == 401
    for client in (one, two):
        client.app.state.service.database.close()


def test_too_many_requests_are_told_when_to_come_again(fresh: Any) -> None:
    client = settings_with(fresh, public_per_minute=3)
    assert [client.get("/v1/public/draws").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/v1/public/draws")
    assert code(refused) == "too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # what watches the service is never refused
    assert [client.get("/healthz").status_code for _ in range(5)] == [200] * 5


def test_passwords_are_tried_a_few_times_a_minute_from_one_address(fresh: Any) -> None:
    client = settings_with(fresh, sign_ins_per_minute=2)
    body = {"username": "nobody", "password": "whatever-it-is"}
    tried = [client.post("/v1/sessions", json=body).status_code for _ in range(3)]
    assert tried == [401, 401, 429]


def test_a_forwarded_address_is_believed_from_a_proxy_only(fresh: Any) -> None:
    proxy = ipaddress.ip_network("203.0.113.0/24")
    behind = settings_with(fresh, public_per_minute=1, trusted_proxies=[proxy])
    direct = settings_with(fresh, public_per_minute=1)
    for client, expected in ((behind, [200, 200, 429]), (direct, [200, 429, 429])):
        seen = [
            client.get("/v1/public/draws", headers={"X-Forwarded-For": address}).status_code
            for address in ("198.51.100.1", "198.51.100.2", "198.51.100.2")
        ]
        assert seen == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.1", "192.0.2.1", "198.51.100.1"),
        ("10.0.0.5", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.5", "1.1.1.1, 192.0.2.1, 10.0.0.6", "192.0.2.1"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3::9", "192.0.2.1", "2001:db8:1:2::"),
        ("10.0.0.5", "2001:db8:1:2:3::9", "2001:db8:1:2::"),
    ],
)
def test_the_nearest_address_that_no_proxy_of_ours_has_counts(
    peer: str, forwarded: str, expected: str
) -> None:
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())] if forwarded else []}
    assert address_of(scope, [ipaddress.ip_network("10.0.0.0/8")]) == expected


def test_a_bucket_fills_again_and_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    limit = Limit(60, lambda: now)
    assert [limit.wait("a") for _ in range(61)] == [0] * 60 + [1]
    now += 2
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 1]
    monkeypatch.setattr("dualrandom_api.service.limits.MOST_ADDRESSES", 100)
    for number in range(1000):
        limit.wait(f"b{number}")
    assert len(limit._buckets) <= 101


def test_the_cache_forgets_what_was_not_asked_for_longest() -> None:
    now = 0.0
    cache = DocumentCache(4000, lambda: now)
    for name in "abcd":
        cache.put(name, name.encode() * 1000, {"ETag": name}, settled=True)
    assert cache.get("a") is not None
    cache.put("e", b"e" * 1000, {"ETag": "e"}, settled=True)
    assert (cache.get("b"), cache.size) == (None, 4000)
    assert cache.get("a") is not None
    cache.put("huge", b"x" * 1001, {"ETag": "h"}, settled=True)
    assert cache.get("huge") is None


def test_of_those_who_ask_for_a_document_that_is_no_longer_fresh_one_fetches_it() -> None:
    now = 0.0
    cache = DocumentCache(4000, lambda: now)
    cache.put("name", b"old", {"ETag": "x"}, settled=False)
    now = 0.9
    assert cache.get("name") is not None
    now = 1.0
    assert [cache.get("name") is None for _ in range(3)] == [True, False, False]


def test_the_metrics_count_and_name_nobody(fresh: Any) -> None:
    fresh.as_("amr").get("/v1/users/amr")
    fresh.public.get("/v1/public/verify.html")
    fresh.public.get("/v1/public/verify.html")
    told = fresh.public.get("/metrics").text
    assert 'dualrandom_requests_total{method="GET",route="/v1/users/{username}",status="403"} 1.0' in told
    assert "dualrandom_documents_from_memory_total 1.0" in told
    assert "amr" not in told
