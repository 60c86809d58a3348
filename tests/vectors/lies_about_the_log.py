"""Lies about when things were announced, revealed and logged, and about the log itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import cases  # type: ignore[import-not-found]
import logged  # type: ignore[import-not-found]
from lies import Files, add, change, edit, remove, value  # type: ignore[import-not-found]

LOGGED = "open-logged"
AFTER_VOID = "open-logged-after-void"
CHECKPOINT = "announced.checkpoint"
AMR = ("a1" * 32, True)


def tale(name: str, fails: str, about: str, **lies: Callable[[Any], Any]) -> None:
    """A log that tells another story; each lie overrides one step of it and gets the story."""
    story = type(
        "Lie", (logged.Story,), {step: lambda self, tell=tell: tell(self) for step, tell in lies.items()}
    )
    change(name, LOGGED, fails, about, lambda _: {"beside": logged.publish(story, first=cases.findings)})


def cosigned(*signatures: tuple[str, int]) -> Callable[[Any], None]:
    return lambda story: story.files.update({CHECKPOINT: story.book.checkpoint(signatures)})


def honest(story: Any, step: str) -> Any:
    return getattr(logged.Story, step)(story)


# --- events

tale(
    "announced-after-the-round",
    "events",
    "轮次已公开才公告 · announced when the round was known",
    cosign=cosigned(*logged.at(logged.LATE)),
)
tale(
    "one-witness-in-time",
    "events",
    "法定数在轮次之后才足 · the quorum was complete only after the round",
    cosign=cosigned(("chamber.example/w1", logged.EARLY), ("university.example/w2", logged.LATE)),
)
tale(
    "no-quorum",
    "events",
    "只有一个见证方共签 · one witness of two cosigned",
    cosign=cosigned(("chamber.example/w1", logged.EARLY)),
)
tale("no-witness", "events", "没有见证方共签 · nobody cosigned", cosign=cosigned())
tale(
    "zero-time",
    "events",
    "共签时间为零 · a cosignature of no time",
    cosign=cosigned(("chamber.example/w1", logged.EARLY), ("university.example/w2", 0)),
)
tale(
    "never-witnessed",
    "events",
    "抽取前没有留存检查点 · no checkpoint was kept before the draw",
    cosign=lambda story: None,
)


def before_the_announcement(story: Any) -> None:
    story.book.add(
        "ANNOUNCE", "else-2023-000001", logged.another(story.built, authority="else", draw="else-2023-000001")
    )
    cosigned(*logged.at(logged.EARLY))(story)
    honest(story, "announce")


tale(
    "checkpoint-without-the-announcement",
    "events",
    "经见证的检查点尚无公告 · what was witnessed does not hold the announcement",
    announce=before_the_announcement,
    cosign=lambda story: None,
)
tale(
    "checkpoint-of-after-the-draw",
    "events",
    "留存的检查点取自抽取之后 · the kept checkpoint was taken after the draw",
    cosign=lambda story: None,
    afterwards=lambda story: (cosigned(*logged.at(logged.EARLY))(story), honest(story, "afterwards")),
)
tale(
    "reveal-after-checkpoint",
    "events",
    "见证之后才公开随机数 · a nonce revealed after what was witnessed",
    reveal=lambda story: None,
    late=lambda story: honest(story, "reveal"),
)


def backdated(data: bytes) -> bytes:
    """Set the time of the last cosignature an hour back."""
    *lines, last = data.decode().splitlines()
    head, _, material = last.rpartition(" ")
    raw = bytearray(base64.b64decode(material))
    raw[4:12] = (logged.LATE - 3600).to_bytes(8, "big")
    return "".join(f"{one}\n" for one in [*lines, f"{head} {base64.b64encode(raw).decode()}"]).encode()


edit(
    "backdated-cosignature",
    LOGGED,
    CHECKPOINT,
    "events",
    "共签时间被改早 · the time of a cosignature was set back",
    backdated,
)

# --- contributions

tale(
    "counted-though-not-revealed",
    "contributions",
    "未登记公开却计为已公开 · counted as revealed without a logged reveal",
    reveal=lambda story: None,
)


def withheld(case: Any) -> dict[str, Any]:
    """The seed takes the commitment of a party whose nonce was in the witnessed log."""
    story = type("Lie", (logged.Story,), {"revealed": lambda _: ["amr"]})
    return {
        "nonces": case.nonces | {"amr": (AMR[0], False)},
        "beside": logged.publish(story, first=cases.findings),
    }


change(
    "dropped-though-revealed",
    LOGGED,
    "contributions",
    "已公开的随机数未计入种子 · a revealed nonce was left out of the seed",
    withheld,
)


def false_reveal(story: Any) -> None:
    data = logged.jcs(
        {"draw": story.draw, "nonce": "00" * 32, "party": "fire", "type": "dualrandom/v1/reveal"}
    )
    story.files["reveals/fire.json"] = data
    story.book.add("REVEAL", story.draw, data)
    honest(story, "reveal")


tale(
    "reveal-of-another-nonce",
    "contributions",
    "公开的随机数与承诺不符 · a revealed nonce that was not committed to",
    reveal=false_reveal,
)
value(
    "reveal-with-a-remark",
    LOGGED,
    "reveals/amr.json",
    "canonical",
    "公开文书有多余的键 · a reveal with an unknown key",
    lambda d: d.update(remark=""),
)

# --- log

tale(
    "missing-entry",
    "log",
    "结果未登记 · the result was never logged",
    drawn=lambda story: story.book.add("BEACON", story.draw, story.built.public["beacon.json"]),
)


def logged_elsewhere(story: Any) -> None:
    story.book.add("BEACON", story.draw, story.built.public["beacon.json"])
    story.book.add("BEACON", logged.OTHER, story.built.public["beacon.json"])
    story.book.add("RESULT", logged.OTHER, story.built.public["result.json"])


tale(
    "result-logged-for-another-draw",
    "log",
    "结果登记在另一抽取之下 · the result was logged for another draw",
    drawn=logged_elsewhere,
)


def twice(story: Any) -> None:
    honest(story, "announce")
    changed = story.built.announcement | {"software": {"name": "dualrandom", "version": "0"}}
    story.book.add("ANNOUNCE", story.draw, logged.jcs(changed))


tale("second-announcement", "log", "同一编号公告两次 · one draw was announced twice", announce=twice)
tale(
    "second-draw-of-the-plan",
    "log",
    "同一计划另行公告 · the same plan was announced as another draw",
    other=lambda story: logged.another(story.built, plan=story.built.announcement["plan"]),
)
tale(
    "skipped-draw-number",
    "log",
    "编号中断 · a number of the authority was skipped",
    log_other=lambda story: story.book.add(
        "ANNOUNCE", "test-2023-000003", logged.another(story.built, draw="test-2023-000003")
    ),
)
tale(
    "result-before-the-beacon",
    "log",
    "结果先于信标登记 · the result was logged before the beacon",
    drawn=lambda story: [
        story.book.add(kind, story.draw, story.built.public[name])
        for kind, name in (("RESULT", "result.json"), ("BEACON", "beacon.json"))
    ],
)
tale(
    "second-result",
    "log",
    "登记了两个结果 · two results were logged",
    afterwards=lambda story: (
        story.book.add("RESULT", story.draw, b"{}"),
        honest(story, "afterwards"),
    ),
)
tale(
    "broken-chain",
    "log",
    "条目不接上一条 · an entry that does not name the one before",
    drawn=lambda story: [
        story.book.add(kind, story.draw, story.built.public[name], prev="0" * 64)
        for kind, name in (("BEACON", "beacon.json"), ("RESULT", "result.json"))
    ],
)
tale(
    "logged-with-another-size",
    "log",
    "登记的大小不符 · logged with a wrong size",
    announce=lambda story: story.book.add(
        "ANNOUNCE", story.draw, story.built.public["announcement.json"], size=1
    ),
)


def forked(files: Files, build: Callable[..., Files]) -> Files:
    """The announced checkpoint of a log in which another draw's announcement stood."""
    story = type("Lie", (logged.Story,), {"other": lambda self: logged.another(self.built, plan="2023-11")})
    made = build({}, lambda _: {"beside": logged.publish(story, first=cases.findings)})
    return files | {f"public/{CHECKPOINT}": made[f"public/{CHECKPOINT}"]}


add("forked-checkpoint", LOGGED, "log", "见证过的是另一份日志 · what was witnessed is another log", forked)


def truncated(files: Files, build: Callable[..., Files]) -> Files:
    """The log as it stood when the draw had been announced and nothing more."""
    story = type("Lie", (logged.Story,), {"tell": lambda self: (self.announce(), self.book.files())[1]})
    short = {
        name: data
        for name, data in build({}, lambda _: {"beside": logged.publish(story)}).items()
        if name.startswith("public/log/")
    }
    return {name: data for name, data in files.items() if not name.startswith("public/log/")} | short


add("truncated-log", LOGGED, "log", "日志被截短 · the log was cut short", truncated)


def corrected(story: Any) -> None:
    honest(story, "afterwards")
    story.book.add("FINDINGS", story.draw, story.files["findings.json"].replace(b'"code":"1"', b'"code":"3"'))


tale(
    "rolled-back-findings",
    "log",
    "公布的是更正前的检查结果 · findings from before a correction are shown",
    afterwards=corrected,
)


def flipped(name: str, fails: str, about: str, prefix: str) -> None:
    """One bit of the only file with this prefix is changed."""

    def make(files: Files, _build: Callable[..., Files]) -> Files:
        (found,) = (key for key in files if key.startswith(f"public/{prefix}"))
        data = bytearray(files[found])
        data[40] ^= 1
        return files | {found: bytes(data)}

    add(name, LOGGED, fails, about, make)


flipped("altered-tile", "log", "散列块被改动 · a tile was altered", "log/tile/0/")
flipped("altered-entry", "log", "条目被改动 · an entry was altered", "log/tile/entries/")


def without(prefix: str) -> Callable[[Files, Callable[..., Files]], Files]:
    return lambda files, _build: {
        name: data for name, data in files.items() if not name.startswith(f"public/{prefix}")
    }


add("missing-tile", LOGGED, "log", "缺散列块 · a tile is missing", without("log/tile/0/"))
add("missing-bundle", LOGGED, "log", "缺条目 · the entries are missing", without("log/tile/entries/"))
add("removed-log", LOGGED, "log", "日志被移走 · the log was taken away", without("log/"))
remove("removed-head", LOGGED, "log/checkpoint", "log", "缺日志检查点 · the log's checkpoint is missing")
remove("removed-reveal", LOGGED, "reveals/amr.json", "log", "缺公开文书 · a logged reveal is missing")
edit(
    "unlogged-findings",
    LOGGED,
    "findings.json",
    "log",
    "检查结果改后未登记 · findings changed without an entry",
    lambda data: data.replace(b'"method":"on-site"', b'"method":"online"', 1),
)


def signed_by_a_stranger(story: Any) -> None:
    story.book.signer = logged.STRANGER
    honest(story, "afterwards")


tale(
    "log-of-a-stranger",
    "log",
    "日志由他人密钥签署 · the log is signed by another key",
    afterwards=signed_by_a_stranger,
)


def never_voided(files: Files, build: Callable[..., Files]) -> Files:
    """The voided draw stands in the log as an open one."""

    def before(self: Any) -> None:
        first = "test-2023-000001"
        self.book.add("ANNOUNCE", first, self.files[f"voided/{first}/announcement.json"])

    story = type("Lie", (logged.AfterVoid,), {"before": before})
    voided = {key[7:]: data for key, data in files.items() if key.startswith("public/voided/")}
    return build({}, lambda _: {"beside": logged.publish(story, first=lambda _: voided)})


ROTATED = "open-logged-rotated"


def key_tale(name: str, fails: str, about: str, **lies: Callable[[Any], Any]) -> None:
    """Another story about the log's keys."""
    story = type(
        "Lie", (logged.Rotated,), {step: lambda self, tell=tell: tell(self) for step, tell in lies.items()}
    )
    change(name, ROTATED, fails, about, lambda _: {"beside": logged.publish(story, first=cases.findings)})


key_tale(
    "key-taken-by-a-stranger",
    "log",
    "他人自行接管密钥 · a stranger hands the key over to himself",
    rotate=lambda story: story.book.rotate(logged.STRANGER, logged.STRANGER),
)
key_tale(
    "key-handed-over-by-one",
    "log",
    "新密钥未签署 · the new key did not sign the rotation",
    rotate=lambda story: story.book.rotate(logged.SUCCESSOR, logged.LOG),
)
key_tale(
    "key-revoked-by-a-stranger",
    "log",
    "他人吊销密钥 · a stranger revokes the key",
    revoke=lambda story: story.book.revoke(logged.LOG, "2023-08-24T00:00:00Z", logged.STRANGER),
)
key_tale(
    "key-revoked-before-it-was-witnessed",
    "events",
    "见证之前密钥已吊销 · the key was revoked before the witnesses saw what it signed",
    revoke=lambda story: story.book.revoke(logged.LOG, "2023-08-23T05:00:00Z"),
)


def without_the_first_note(files: Files, _build: Any) -> Files:
    note = "public/log/keys/000001.note"
    return {name: data for name, data in files.items() if name != note}


add("rotation-missing", ROTATED, "log", "轮换文书缺失 · a rotation is missing", without_the_first_note)


def other_key(data: bytes) -> bytes:
    return f"{logged.vkey(logged.ORIGIN, 1, logged.STRANGER)}\n".encode()


edit(
    "first-key-of-a-stranger",
    LOGGED,
    "log/log.vkey",
    "log",
    "首个公钥属于他人 · a stranger's first key",
    other_key,
)
edit(
    "first-key-without-its-newline",
    LOGGED,
    "log/log.vkey",
    "log",
    "首个公钥缺换行 · the first key lacks its newline",
    lambda data: data[:-1],
)


def in_documents(which: str) -> Callable[[Files, Any], Files]:
    """One bit of an announcement that lies beside the log is changed."""

    def make(files: Files, _build: Any) -> Files:
        (found,) = (
            name
            for name, data in files.items()
            if name.startswith("public/log/documents/") and which.encode() in data
        )
        return files | {found: files[found].replace(b'"hours":"1/1"', b'"hours":"2/1"', 1)}

    return make


add(
    "altered-announcement-of-another-draw",
    LOGGED,
    "log",
    "另一抽取的公告被改 · another draw's announcement was altered",
    in_documents(f'"draw":"{logged.OTHER}"'),
)
add(
    "altered-copy-of-the-announcement",
    LOGGED,
    "log",
    "日志中的公告副本被改 · the log's copy of the announcement was altered",
    in_documents('"draw":"test-2023-000001"'),
)
for stray in ("tile/0/000.p/1", "tile/1/000", "keys/000002.note", f"documents/{'0' * 64}"):
    edit(
        f"stray-{stray.replace('/', '-').replace('.', '-')[:16]}",
        LOGGED,
        f"log/{stray}",
        "log",
        "日志中多出文件 · a file that does not belong to the log",
        lambda _: b"x",
    )


def entry(**false: Any) -> Callable[[Any], Any]:
    """The result's entry is logged with a false field."""

    def drawn(story: Any) -> None:
        story.book.add("BEACON", story.draw, story.built.public["beacon.json"])
        story.book.add("RESULT", story.draw, story.built.public["result.json"], **false)

    return drawn


tale("entry-with-a-remark", "log", "条目有多余的键 · an entry with an unknown key", drawn=entry(remark=""))
tale("entry-of-no-type", "log", "没有这种条目 · an entry of no type", drawn=entry(type="REDRAW"))
tale(
    "entry-of-another-document",
    "log",
    "条目的摘要不符 · an entry with another digest",
    drawn=entry(digest="0" * 64),
)


def voided_after(story: Any) -> None:
    honest(story, "drawn")
    story.book.add("VOID", story.draw, b"{}")


tale("void-after-the-result", "log", "有结果后又作废 · voided after the result", drawn=voided_after)


def beacon_twice(story: Any) -> None:
    story.book.add("BEACON", story.draw, b"{}")
    honest(story, "drawn")


tale("second-beacon", "log", "信标登记两次 · two rounds were logged", drawn=beacon_twice)


def announced_again(story: Any) -> None:
    honest(story, "log_other")
    story.book.add("ANNOUNCE", "test-2023-000001", logged.another(story.built, draw="test-2023-000001"))


def backwards(story: Any) -> None:
    story.book.add("ANNOUNCE", "test-2023-000004", logged.another(story.built, draw="test-2023-000004"))
    story.book.add("ANNOUNCE", "test-2023-000003", logged.another(story.built, draw="test-2023-000003"))


tale("announced-again", "log", "另一抽取之后重新公告 · announced again later", log_other=announced_again)
tale("numbers-backwards", "log", "编号倒退 · numbers that go back", log_other=backwards)


def cosigned_by_a_forger(data: bytes) -> bytes:
    """The second cosignature of the latest checkpoint does not hold."""
    *lines, last = data.decode().splitlines()
    head, _, material = last.rpartition(" ")
    raw = bytearray(base64.b64decode(material))
    raw[-1] ^= 1
    return "".join(f"{one}\n" for one in [*lines, f"{head} {base64.b64encode(raw).decode()}"]).encode()


edit(
    "forged-cosignature",
    LOGGED,
    "log/checkpoint",
    "log",
    "最新检查点的共签无效 · a cosignature of the latest checkpoint does not hold",
    cosigned_by_a_forger,
)
add("unlogged-void", AFTER_VOID, "log", "作废未登记 · the void was never logged", never_voided)
