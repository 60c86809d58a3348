"""Mails: sent over TLS by a job, at least once under one Message-ID, tried again with growing delays, given up in sight of those who run it."""

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlmodel import col, select

from dualrandom.store import deliveries, jobs
from dualrandom.store.messages import tell
from dualrandom.store.tables import Delivery, Job, Outbox
from dualrandom_api.service.handlers.keeping_house import keep_house
from dualrandom_api.service.settings import MailSettings

SENDER = "dualrandom@office.example"


@dataclass
class MailServer:
    """A mail server on this machine that speaks SMTP with STARTTLS. ``answers``: replies to give first, by command."""

    port: int = 0
    ca_file: Path = Path()
    mails: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    answers: dict[str, list[bytes]] = field(default_factory=dict)

    def settings(self, **changed: Any) -> MailSettings:
        values = {"host": "127.0.0.1", "port": self.port, "ca_file": self.ca_file, "sender": SENDER}
        return MailSettings(**{**values, **changed})

    def reply(self, command: str, usual: bytes) -> bytes:
        waiting = self.answers.get(command, [])
        return waiting.pop(0) if waiting else usual


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 that signs itself, and its key, into one file."""
    import ipaddress

    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path = folder / "mail.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    made = MailServer(ca_file=certificate(tmp_path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.ca_file)

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            encrypted = False
            self.say(b"220 mail")
            while line := self.rfile.readline():
                command = line.split()[0].decode().upper()
                if command == "EHLO":
                    self.say(b"250 mail" if encrypted else made.reply("EHLO", b"250-mail\r\n250 STARTTLS"))
                elif command == "STARTTLS":
                    self.say(b"220 begin")
                    self.connection = tls.wrap_socket(self.connection, server_side=True)
                    self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                    encrypted = True
                elif command == "DATA":
                    self.say(b"354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    made.mails.append(email.message_from_bytes(text, policy=email.policy.default))
                    made.encrypted.append(encrypted)
                    answer = made.reply("DATA", b"250 taken")
                    if not answer:
                        return
                    self.say(answer)
                elif command == "QUIT":
                    self.say(b"221 bye")
                    return
                else:
                    self.say(made.reply(command, b"250 well"))

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as listening:
        listening.daemon_threads = True
        made.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        listening.shutdown()
        thread.join()


@pytest.fixture
def post(office: Any, server: MailServer) -> Iterator[Any]:
    """The office with a mail server; earlier messages are not sent."""
    with office.service.database.writing() as session:
        for row in session.exec(select(Outbox)).all():
            row.addressed_at = office.clock()
        for mail in session.exec(select(Delivery)).all():
            session.delete(mail)
    office.service.settings.mail = server.settings()
    for name, box in (("dispatcher", "d1@office.example"), ("dispatcher2", "d2@office.example")):
        give_mailbox(office, name, box)
    yield office
    office.service.settings.mail = None


def give_mailbox(office: Any, username: str, box: str | None) -> None:
    client = office.as_("dispatcher")
    read = client.get(f"/v1/users/{username}")
    changed = client.patch(
        f"/v1/users/{username}", json={"email": box}, headers={"If-Match": read.headers["ETag"]}
    )
    assert (changed.status_code, changed.json()["email"]) == (200, box)


def say(office: Any, kind: str, audience: str, subject: str = "plan:2026-09") -> None:
    with office.service.database.writing() as session:
        tell(session, kind, audience, subject, ("请参加计划。", "Please join the plan."), now=office.clock())


def send(office: Any) -> None:
    """Let the mails that are due be sent."""
    keep_house(office.service)
    office.clock.pass_(seconds=20)
    office.run_jobs()


def listed(office: Any, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = office.as_("dispatcher").get("/v1/deliveries", params=query).json()["items"]
    return items


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_a_message_is_mailed_to_everybody_whom_it_is_for_in_both_languages(
    post: Any, server: MailServer
) -> None:
    say(post, "invitation", "role:dispatcher")
    send(post)
    assert sorted(mail["To"] for mail in server.mails) == ["d1@office.example", "d2@office.example"]
    assert server.encrypted == [True, True]
    mail = server.mails[0]
    assert "请参加计划。" in text_of(mail)
    assert "Please join the plan." in text_of(mail)
    assert (mail["From"], mail["Auto-Submitted"]) == (SENDER, "auto-generated")
    assert "plan:2026-09" in mail["Subject"]
    send(post)
    assert len(server.mails) == 2
    assert {one["state"] for one in listed(post)} == {"sent"}


def test_a_departments_mailbox_stands_for_its_people(post: Any, server: MailServer) -> None:
    give_mailbox(post, "amr", "someone@amr.example")
    say(post, "invitation", "department:amr")
    send(post)
    dispatcher = post.as_("dispatcher")
    row = next(one for one in dispatcher.get("/v1/departments").json() if one["id"] == "amr")
    row["email"] = "office@amr.example"
    del row["id"]
    assert dispatcher.put("/v1/departments/amr", json=row).json()["email"] == "office@amr.example"
    say(post, "invitation", "department:amr")
    send(post)
    assert [mail["To"] for mail in server.mails] == ["someone@amr.example", "office@amr.example"]
    assert dispatcher.put("/v1/departments/amr", json=row | {"email": None}).json()["email"] is None
    give_mailbox(post, "amr", None)


def test_what_a_message_says_of_enterprises_and_people_is_not_mailed(post: Any, server: MailServer) -> None:
    with post.service.database.writing() as session:
        body = ("某企业对结果有异议。", "An enterprise disputes a finding.")
        tell(session, "dispute", "role:dispatcher", "finding:31", body, now=post.clock())
    send(post)
    text = text_of(server.mails[0])
    assert "某企业" not in text
    assert "disputes" not in text
    assert "finding:31" in text


def test_a_mail_that_was_taken_without_an_answer_is_sent_again_under_the_same_id(
    post: Any, server: MailServer
) -> None:
    give_mailbox(post, "dispatcher2", None)
    server.answers["DATA"] = [b""]
    say(post, "invitation", "role:dispatcher")
    send(post)
    assert listed(post)[0]["state"] == "waiting"
    post.clock.pass_(minutes=1)
    send(post)
    first, again = server.mails
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@office.example>")
    assert listed(post)[0]["state"] == "sent"


def test_a_runner_that_lost_its_lease_notes_nothing(post: Any, server: MailServer) -> None:
    give_mailbox(post, "dispatcher2", None)
    say(post, "invitation", "role:dispatcher")
    keep_house(post.service)
    post.clock.pass_(seconds=20)
    taken = jobs.claim(post.service.database, "dead", post.clock(), ["mail"])
    assert taken is not None
    post.clock.pass_(seconds=30)
    post.run_jobs()
    assert server.mails == []
    post.clock.pass_(seconds=60)
    post.run_jobs()
    assert len(server.mails) == 1
    with pytest.raises(jobs.LeaseLostError), post.service.database.writing() as session:
        jobs.holds(session, taken)


def test_a_mail_that_is_refused_is_given_up_in_sight_of_those_who_run_the_service(
    post: Any, server: MailServer
) -> None:
    give_mailbox(post, "dispatcher2", None)
    server.answers["RCPT"] = [b"550 d1@office.example is unknown"]
    say(post, "invitation", "role:dispatcher")
    send(post)
    (dead,) = listed(post, state="dead")
    assert (dead["problem"], dead["recipient"]) == ("550 recipient", "user:dispatcher")
    seen = post.as_("support").get("/v1/deliveries", params={"state": "dead"}).json()["items"][0]
    assert (seen["id"], seen["recipient"]) == (dead["id"], None)
    told = post.as_("support").get("/v1/messages").json()["items"][0]
    assert (told["kind"], told["subject"]) == ("mail-given-up", f"delivery:{dead['id']}")
    assert 'dualrandom_mails{state="dead"} 1.0' in post.public.get("/metrics").text
    send(post)
    assert server.mails == []
    again = post.as_("support").post(f"/v1/deliveries/{dead['id']}/another-try")
    assert again.json()["state"] == "waiting"
    send(post)
    assert len(server.mails) == 1
    refused = post.as_("dispatcher").post(f"/v1/deliveries/{dead['id']}/another-try")
    assert refused.json()["type"].endswith("delivery-not-dead")
    unknown = post.as_("dispatcher").post("/v1/deliveries/99999/another-try")
    assert unknown.json()["type"].endswith("unknown-delivery")


def test_a_server_that_is_away_is_tried_with_growing_delays_and_then_no_more(
    post: Any, server: MailServer
) -> None:
    give_mailbox(post, "dispatcher2", None)
    post.service.settings.mail = server.settings(tries=3)
    # a server that offers no TLS gets nothing
    server.answers["EHLO"] = [b"250 mail"] * 3
    say(post, "invitation", "role:dispatcher")
    waits = []
    for _ in range(2):
        send(post)
        (one,) = listed(post)
        waits.append(datetime.fromisoformat(one["next_at"]) - post.clock())
        assert one["problem"] == "SMTPNotSupportedError"
        post.clock.pass_(minutes=5)
    assert waits == [timedelta(minutes=1), timedelta(minutes=2)]
    send(post)
    assert (listed(post)[0]["state"], listed(post)[0]["attempts"]) == ("dead", 3)
    assert server.mails == []
    with post.service.database.reading() as session:
        job = session.exec(select(Job).where(Job.kind == "mail")).one()
    assert (job.state, job.attempts) == ("queued", 0)


def test_a_password_is_never_sent_in_the_open() -> None:
    with pytest.raises(ValueError, match="TLS only"):
        MailSettings(host="x", sender=SENDER, security="none", username="u", password=SecretStr("p"))


def test_old_messages_are_not_mailed_when_mail_is_switched_on(post: Any, server: MailServer) -> None:
    say(post, "invitation", "role:dispatcher")
    post.clock.pass_(days=3)
    send(post)
    assert server.mails == []
    with post.service.database.reading() as session:
        assert deliveries.counts(session)["waiting"] == 0


def test_a_receipt_code_is_mailed_to_the_enterprise_and_then_forgotten(
    drawn: Any, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = drawn.as_("dispatcher").get("/v1/draws").json()["items"][0]["draw"]
    firm = drawn.as_("dispatcher").get("/v1/visits").json()["items"][0]["enterprise"]
    url, body = f"/v1/draws/{draw}/receipt-codes", {"enterprise": firm, "email": "boss@firm.example"}
    refused = drawn.as_("amr").post(url, json=body)
    assert refused.json()["type"].endswith("mail-off")
    monkeypatch.setattr(drawn.service.settings, "mail", server.settings())
    first, second = (drawn.as_("amr").post(url, json=body).json() for _ in range(2))
    assert (first["mailed"], second["mailed"]) == (True, True)
    with drawn.service.database.reading() as session:
        kept = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
        told = session.exec(select(Outbox).where(Outbox.kind == "receipt-code")).all()
    assert [(one.state, one.problem) for one in kept] == [("dead", "superseded"), ("waiting", "")]
    assert second["code"] not in repr([*kept, *told])
    send(drawn)
    (mail,) = [one for one in server.mails if one["To"] == "boss@firm.example"]
    assert second["code"] in text_of(mail)
    assert first["code"] not in text_of(mail)
    with drawn.service.database.reading() as session:
        assert [
            one.secret
            for one in session.exec(select(Delivery)).all()
            if one.recipient == f"enterprise:{firm}"
        ] == [
            None,
            None,
        ]
    assert drawn.as_("dispatcher").post(url, json={"enterprise": firm}).json()["mailed"] is False
