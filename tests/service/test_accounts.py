"""People sign in, are locked out, change their password and are signed out; what only some may do is refused to others."""

from typing import Any


def test_a_person_signs_in_with_their_password_and_out_again(office: Any) -> None:
    answer = office.public.post("/v1/sessions", json={"username": "amr", "password": "Ordinary-27-horses"})
    assert answer.status_code == 201, answer.text
    token = answer.json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    me = office.public.get("/v1/me", headers=headers)
    assert (me.status_code, me.json()["department"]) == (200, "amr")
    assert office.public.delete("/v1/sessions/current", headers=headers).status_code == 204
    assert office.public.get("/v1/me", headers=headers).status_code == 401
