"""The part of verify_draw.py for §11 of docs/protocol.md: signatures, log, order of events; and §15.

verify_draw.py 的一部分：签名、审计方的证明、日志与先后次序。各文件放在同一目录。
"""

# fmt: off
# ruff: noqa: ARG005, D102, D103, D204, E401, E731, I001, N803, RUF021, RUF024
import hashlib, re
from collections import defaultdict
from functools import lru_cache
from datetime import datetime
from itertools import count, takewhile
from verify_draw import CHECKS, RULES, RUN, Bad, Open, canonical, hasher, jcs, must, read, root, same, shapes
from verify_draw import unbase

# ---- Ed25519 (RFC 8032) ----------------------------------------------------------------------------------
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
sha256 = hasher("sha256")

def point(data):
    y = int.from_bytes(data, "little") % 2**255
    u, v = y * y - 1, D * y * y + 1
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    x = x if (v * x * x - u) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    must(len(data) == 32 and y < P and (v * x * x - u) % P == 0 and (x or data[31] < 128), "no point")
    return x if x % 2 == data[31] >> 7 else P - x, y

def plus(p, q):
    k = D * p[0] * q[0] % P * p[1] * q[1] % P
    i = pow(1 - k * k, -1, P)  # one inverse for the two divisors, 1 + k and 1 - k
    return (p[0] * q[1] + p[1] * q[0]) * (1 - k) * i % P, (p[1] * q[1] + p[0] * q[0]) * (1 + k) * i % P

def times(n, p):
    q = 0, 1
    while n:
        q, p, n = plus(q, p) if n & 1 else q, plus(p, p), n >> 1
    return q

BASE = point(bytes.fromhex("58" + "66" * 31))

@lru_cache(99)
def sound(key):
    """The point of a key, which is not of small order."""
    p = point(key)
    must(times(8, p) != (0, 1), "small order")
    return p

@lru_cache(9999)
def signed(key, signature, text):
    """Say whether R, as bytes, is S·B - h·A."""
    try:
        x, y = sound(key)
    except Bad:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text.encode()).digest(), "little") % ORDER
    s = int.from_bytes(signature[32:], "little")
    x, y = plus(times(s, BASE), times(h, (P - x, y)))
    return len(signature) == 64 and s < ORDER and (y + (x % 2 << 255)).to_bytes(32,
        "little") == signature[:32]

shapes(r"""verdict name:id status:PASS|NOT\x20CHECKED;
attest announcement:hex auditor:b32 changes:hex? checks:verdict~ draw:id result:hex signature:b64""")
RULES["attest"] = lambda r, x: [c.name for c in x.checks] == CHECKS

def signatures(r):
    """§4, 15."""
    for c in r.ann.contributions:
        text = f"dualrandom/v1/contribution\n{r.ann.draw} {c.party} {c.commitment}\n"
        must(signed(unbase(c.key), unbase(c.signature), text), f"{c.party}: 签名无效 signature does not hold")
    a = r.docs.get("attest")
    if a is None:
        return
    text = f"dualrandom/v1/attest\ndraw {a.draw}\nannouncement {a.announcement}\nresult {a.result}\n"
    text += f"changes {a.changes or 'none'}\n" + "".join(f"check {c.name} {c.status}\n" for c in a.checks)
    same(a.auditor, r.ann.auditor and r.ann.auditor.key, "attest.json: auditor")
    must(signed(unbase(a.auditor), unbase(a.signature), text), "attest.json: 签名无效 signature does not hold")
    result = r.H(r.files["result.json"]).hex() if "result.json" in r.files else ""
    same((a.draw, a.announcement, a.result), (r.ann.draw, r.digest, result), "attest.json")
    rows = [r.H(row).hex() for row in r.files.get("changes.jsonl", b"").split(b"\n")[:-1]]
    must(a.changes is None or a.changes in rows, "attest.json: changes")
    later = {"findings", "draws", *([] if a.changes == (rows or [None])[-1] else ["changes"])}
    r.attested |= {c.name for c in a.checks if c.status == "PASS"} - later

# ---- the log (§11) ---------------------------------------------------------------------------------------
shapes("""reveal draw:id nonce:hex party:id; entry digest:hex draw:draw prev:hex? size:count
 type:ANNOUNCE|REVEAL|BEACON|RESULT|EXCLUDE|SUBSTITUTE|AMEND|OPEN|FINDINGS|ATTEST|VOID""")
FILES = {"ANNOUNCE": "announcement.json", "BEACON": "beacon.json", "RESULT": "result.json",
         "OPEN": "openings.jsonl", "VOID": "void.json", "FINDINGS": "findings.json", "ATTEST": "attest.json"}
ROWS = {"exclude": "EXCLUDE", "substitute": "SUBSTITUTE", "replace": "AMEND", "withdraw": "AMEND"}
LATER = {*ROWS.values(), "OPEN", "FINDINGS", "ATTEST"}
FOLLOWS = {None: {"ANNOUNCE"}, "BEACON": {"RESULT", "VOID"}, "VOID": set()}
FOLLOWS |= dict.fromkeys(["ANNOUNCE", "REVEAL"], {"REVEAL", "BEACON", "VOID"})
FOLLOWS |= dict.fromkeys(["RESULT", *LATER], LATER)

def vkey(text, kind):
    """A verifier key of C2SP signed-note: (name, id, kind, key)."""
    name, number, raw = text.split("+", 2)
    raw = unbase(raw)
    must(re.fullmatch(r"[^\s\0-\x1f]+", name) and len(raw) == 33 and raw[0] == kind
         and sha256(f"{name}\n".encode() + raw)[:4].hex() == number, f"公钥 key {text}")
    sound(raw[1:])
    return name, number, kind, raw[1:]

def note(data, keys):
    """C2SP signed-note: its lines, and of each known key that signed the least time (0 for a log's)."""
    text, gap, tail = data.decode().rpartition("\n\n")
    lines, found = tail.split("\n"), {}
    must(gap and lines.pop() == "" and 0 < len(lines) <= 100, "签名文书 note")
    must(not re.search(r"[\0-\x09\x0b-\x1f]", text + tail), "签名文书 note")
    for line in lines:
        name, raw = re.fullmatch(r"— ([^\s+]+) (\S+)", line).groups()
        raw = unbase(raw)
        must(len(raw) > 4, line)
        for key in (key for key in keys if key[:2] == (name, raw[:4].hex())):
            time, said = (int.from_bytes(raw[4:12], "big"), raw[12:]) if key[2] == 4 else (0, raw[4:])
            body = f"cosignature/v1\ntime {time}\n{text}\n" if key[2] == 4 else f"{text}\n"
            holds = signed(key[3], said, body) and (0 < time < 2**63 or key[2] == 1)
            must(holds, f"{name}: 签名不成立 signature does not hold")
            found[key] = min(time, found.get(key, time))
    return text.split("\n"), found

def tile(level, index, width):
    digits = f"{index:0{-(-len(str(index)) // 3) * 3}}"
    *above, last = re.findall("...", digits)
    path = f"log/tile/{level}/" + "".join(f"x{d}/" for d in above) + last
    return path + (f".p/{width}" if width < 256 else "")

def seconds(time):
    """An instant in seconds since 1970."""
    must(re.fullmatch("[0-9]{4}(-[0-9]{2}){2}T(?!24)[0-9]{2}(:[0-9]{2}){2}Z", time), f"时刻 instant {time:.30}")
    return datetime.fromisoformat(time).timestamp()

class Log:
    """§11.1, 11.2: a log by a known key, all of whose entries keep the rules and lead to the signed root."""
    def __init__(self, r):
        self.files, self.keys, self.revoked = r.files, [], {}
        self.witnesses, self.groups, self.quorum = {}, {}, "none"
        for line in r.policy.decode().split("\n"):
            match line.split():
                case ["log", key, *_]:
                    self.keys.append(vkey(key, 1))
                case ["witness", name, key, *_]:
                    self.witnesses[vkey(key, 4)] = name
                case ["group", name, least, *members]:
                    self.groups[name] = int({"any": 1, "all": len(members)}.get(least, least)), {*members}
                case ["quorum", name]:
                    self.quorum = name
                case [word, *_]:
                    must(word[0] == "#", f"log policy: {line}")
        self.trusted, own = bool(self.keys), self.files["log/log.vkey"].decode()
        own = vkey(own.removesuffix("\n"), 1 if own.endswith("\n") else 0)
        self.keys = self.keys or [own]
        names = (f"log/keys/{n:06d}.note" for n in count(1))
        self.notes = {name: self.files[name] for name in takewhile(self.files.__contains__, names)}
        for first in [*self.keys]:
            more, gone = self.succeed(first, self.notes.values())
            self.keys += [key for key in more if key not in self.keys]
            self.revoked |= {key: min(at, self.revoked.get(key, at)) for key, at in gone.items()}
        more, _ = self.succeed(own, self.notes.values(), begins=True)
        must(note(self.files["log/checkpoint"], more[-1:])[1], "log/log.vkey: 非现行密钥 not by the current key")
        self.size, self.root, *_ = self.checkpoint("log/checkpoint")
        self.read(r)

    def succeed(self, first, notes, begins=False):
        """§11.2: keys to which one handed over. Earlier notes are skipped unless the log begins with it."""
        keys, gone = [first], {}
        for data in notes:
            kind, origin, old, *rest, last = note(data, [])[0]
            old, now = vkey(old, 1), None if keys[-1] in gone else keys[-1]
            must(kind in ("dualrandom/v1/rotation", "dualrandom/v1/revocation") and len(rest) == 1, kind)
            same(origin, first[0], kind)
            turns = kind == "dualrandom/v1/rotation"
            new, at = (vkey(rest[0], 1), seconds(last)) if turns else (now or old, seconds(rest[0]))
            must(last, f"{kind}: 没有理由 no reason")
            if old != now if turns else old not in keys:
                skipped = len(keys) == 1 and not gone and not begins
                must(skipped, "不是由现行密钥交接 not handed over by the current key")
                continue
            signers = note(data, {old, new})[1].keys()
            must(signers == {old, new} if turns else signers, f"{kind}: 签名 signatures")
            must(not turns or new[0] == old[0] and new not in keys, kind)
            keys += [new] if turns else []
            gone |= {} if turns else {old: min(at, gone.get(old, at))}
        return keys, gone

    def checkpoint(self, name):
        """Size, root, the quorum's time or None, and whether it counts: a revoked key's does not."""
        (origin, size, top, *_), found = note(self.files[name], [*self.keys, *self.witnesses])
        signers = [key for key in self.keys if key in found and key[0] == origin]
        must(signers and re.fullmatch("0|[1-9][0-9]{0,18}", size), f"{name}: 没有已知日志的签名 no known log's")
        times = {self.witnesses[key]: time for key, time in found.items() if key in self.witnesses}
        at = next((t for t in sorted(times.values()) if self.met({w for w in times if times[w] <= t})), None)
        seen = at if at is not None and self.quorum != "none" else 2**63  # before the revocation it counts
        return int(size), unbase(top), at, any(seen < self.revoked.get(key, 2**64) for key in signers)

    def met(self, names):
        for group, (least, members) in self.groups.items():
            names = names | {group} if len(names & members) >= least else names
        return self.quorum in names

    def read(self, r):
        """The entries and tiles of C2SP tlog-tiles, and the chains of the draws."""
        data, expected, latest, self.chains = [], {**self.notes}, {}, defaultdict(list)
        while len(data) < self.size:
            bundle = self.files[tile("entries", len(data) // 256, min(256, self.size - len(data)))]
            must(bundle, "日志条目 entries")
            while bundle:
                end = 2 + int.from_bytes(bundle[:2], "big")
                data.append(bundle[2:end])
                bundle = bundle[end:]
        self.leaves = level = [sha256(b"\0" + entry) for entry in data]
        must(root(sha256, level) == self.root, "条目算不出根散列 the entries do not lead to the root")
        for k in range(0, len(data), 256):
            part = data[k:k + 256]
            bundle = b"".join(len(d).to_bytes(2, "big") + d for d in part)
            expected[tile("entries", k // 256, len(part))] = bundle
        for height in range(8):
            for k in range(0, len(level), 256):
                expected[tile(height, k // 256, len(level[k:k + 256]))] = b"".join(level[k:k + 256])
            level = [root(sha256, level[k:k + 256]) for k in range(0, len(level) - 255, 256)]
        for index, line in enumerate(data):
            e = canonical(line)
            r.form(f"entry {index}", "entry", e)
            chain, (authority, number) = self.chains[e.draw], (e.draw[:-6], int(e.draw[-6:]))
            last = chain[-1][1] if chain else None
            same(e.prev, last and sha256(jcs(last).encode()).hex(), f"entry {index}: prev")
            must(e.type in FOLLOWS[last and last.type], f"{index} {e.draw}: {e.type}")
            must((e.type, e.digest) not in [(x.type, x.digest) for _, x in chain], f"{index}: 重复 twice")
            if e.type == "ANNOUNCE":
                same(number, latest.get(authority, number - 1) + 1, f"entry {index}: 编号 number")
                latest[authority] = number
            chain.append((index, e))
        for d, chain in self.chains.items():
            name = f"log/documents/{chain[0][1].digest}"
            if name in self.files and self.holds(d, "ANNOUNCE", self.files[name]):
                expected[name] = self.files[name]
        folders = ("log/tile/", "log/keys/", "log/documents/")
        shown = {f: data for f, data in self.files.items() if f.startswith(folders)}
        same(shown.keys() ^ expected.keys(), set(), "log/")
        must(shown == expected, "log/: 与条目不符 not of the entries")

    def holds(self, draw, kind, data):
        """Say whether a document has its entry, whichever suite its draw has."""
        suites = {"sha256", "sm3"} & hashlib.algorithms_available
        right = [(kind, len(data), hashlib.new(suite, data).hexdigest()) for suite in suites]
        return any((e.type, e.size, e.digest) in right for _, e in self.chains.get(draw, ()))

    def has(self, size, top):
        return size <= self.size and root(sha256, self.leaves[:size]) == top

def reveals(r):
    """§11.1."""
    r.log, r.k, r.reveals = None, None, {}
    for f in (f for f in r.files if f.startswith("reveals/")):
        r.reveals[f] = x = canonical(r.files[f])
        same(x.pop("type"), "dualrandom/v1/reveal", f)
        r.form(f, "reveal", x)
        same(f, f"reveals/{x.party}.json", f)

def changed(r):
    """The rows of changes.jsonl: object, bytes."""
    return [(read(line.decode()), line) for line in r.files.get("changes.jsonl", b"").split(b"\n") if line]

def log(r):
    """§11.3 (1), 11.4."""
    beside = [f for f in r.files if f == "announced.checkpoint" or f.startswith(("reveals/", "exclusions/"))]
    if "log/checkpoint" not in r.files:
        taken = any(f.startswith("log/") for f in r.files) or beside and not r.voided
        must(not taken, "日志被取走 the log was taken away")
        raise Open("没有透明日志 there is no log")
    r.log, a, files = Log(r), r.ann, r.files
    r.notes.append(", ".join(f"{n} {e.type}" for n, e in r.log.chains.get(a.draw, [])))
    if "announced.checkpoint" in files:
        size, top, *_ = r.log.checkpoint("announced.checkpoint")
        must(r.log.has(size, top), "announced.checkpoint: 与日志不一致 of another log")
        r.k = size
    held, documents = r.log.chains.get(a.draw, []), [(k, files[f]) for k, f in FILES.items() if f in files]
    documents += [("REVEAL", files[f]) for f in r.reveals]
    documents += [(ROWS[row.type], line) for row, line in changed(r)]
    for kind, data in documents:
        early = kind == "BEACON" and "result.json" not in files
        must(early or r.log.holds(a.draw, kind, data), f"日志中没有 not in the log: {kind}")
    here = {(kind, r.H(data).hex()) for kind, data in documents}
    for n, (index, e) in enumerate(held):
        renewed = e.type in ("OPEN", "FINDINGS", "ATTEST") and any(x.type == e.type for _, x in held[n + 1:])
        must((e.type, e.digest) in here or renewed, f"{index} {e.type}: 未公布 its document is not published")
    for d in a.voids:
        void = d in r.log.chains and r.log.chains[d][-1][1].type == "VOID"
        must(void, f"{d}: 日志中没有作废 not void in the log")
        for kind in ("ANNOUNCE", "VOID"):
            f = f"voided/{d}/{FILES[kind]}"
            must(f not in files or r.log.holds(d, kind, files[f]), f"日志中没有 not in the log: {f}")
    for d in r.log.chains:
        data = files.get(f"log/documents/{r.log.chains[d][0][1].digest}", b"")
        if r.log.holds(d, "ANNOUNCE", data):
            x = type(r)({"announcement.json": data}, None, b"", None, True)
            must(not x.bad and x.ann.draw == d, f"{d}: 不是它的公告 not its announcement: {x.bad}")
            again = (x.ann.authority, x.ann.plan) == (a.authority, a.plan) and d not in (a.draw, *a.voids)
            must(not again or held and held[-1][1].type == "VOID", f"{d}: 同一计划 the same plan")
        elif d not in (a.draw, *a.voids):
            r.gap(f"未公布 {d} 的公告 its announcement is not here")
    if not r.log.trusted:
        r.gap("公钥取自文件夹 the key is the folder's own: " + files["log/log.vkey"].decode("latin-1").strip())
    _, _, at, counts = r.log.checkpoint("log/checkpoint")
    must(counts, "log/checkpoint: 密钥已吊销 the key was revoked")
    if r.log.quorum == "none" or at is None:
        r.gap("没有见证方，或共签不足 no witnesses, or too few cosigned")

def events(r):
    """§11.3 (2–4, 6)."""
    rehearsal, t, k = "labels" in r.docs and r.docs["labels"].rehearsal, r.log, r.k
    rows = [(x, line) for x, line in changed(r) if x.type == "exclude" and x.beacon]
    named = {f"exclusions/{x.number}.checkpoint": (x, line) for x, line in rows}
    must({f for f in r.files if re.fullmatch(r"exclusions/.*\.checkpoint", f)} <= named.keys(), "exclusions/")
    if not t:
        raise Open("没有带见证方的日志 no log with witnesses")
    if "announced.checkpoint" not in r.files:
        must("result.json" not in r.files, "没有 announced.checkpoint is missing")
        raise Open("尚无 announced.checkpoint yet")
    must(k is not None, "announced.checkpoint 不属于此日志 is of another log")
    held = t.chains.get(r.ann.draw, [])
    first = {e.type: index for index, e in held[::-1]}
    end = first.get("BEACON", first.get("VOID", t.size))
    must(first.get("ANNOUNCE", t.size) < k <= first.get("BEACON", k), "announced.checkpoint: ANNOUNCE")
    late = [e.type for index, e in held if k <= index < end]
    must(not late, f"announced.checkpoint 之后仍有条目 entries after it: {late}")
    if "BEACON" not in first and first.get("VOID", k) >= k or r.ann.beacon.kind == "local":
        r.gap("未登记信标，或作废时可能已可推知，或 local no beacon yet, voided too late, or local")
    if t.quorum == "none":
        r.gap("没有读者信任的见证方 no witnesses that the reader trusts")
        return
    _, _, at, counts = t.checkpoint("announced.checkpoint")
    must(at is not None and counts, "共签不足 too few witnesses cosigned")
    must(at < seconds(r.ann.beacon.time) or rehearsal, f"共签太迟 cosigned too late: {at}")
    for f, (row, line) in named.items():
        if f not in r.files:
            r.gap(f"没有 {f} is missing")
            continue
        size, top, at, counts = t.checkpoint(f)
        must(counts and t.has(size, top) and at is not None and at < seconds(row.beacon.time), f)
        must(any((e.type, e.digest) == ("EXCLUDE", r.H(line).hex()) and n < size for n, e in held), f)
    if rehearsal:
        r.gap("演练：轮次已公开 a rehearsal: the round was known")

def revealed(r):
    """§11.3 (5), 12: exactly the nonces witnessed are revealed, and none was committed to before."""
    if not r.log and "log/checkpoint" in r.files:
        r.gap("日志不可用 the log cannot be used")
    if not r.log or r.k is None:
        return
    commit = lambda H, draw, party, nonce: H(f"dualrandom/v1/nonce\n{draw} {party} {nonce}\n".encode()).hex()
    announced, known = {c.party: c.commitment for c in r.ann.contributions}, {}
    logged = {e.digest for n, e in r.log.chains.get(r.ann.draw, ()) if e.type == "REVEAL" and n < r.k}
    for f, x in r.reveals.items():
        if r.H(r.files[f]).hex() in logged:
            same((x.draw, commit(r.H, x.draw, x.party, x.nonce)), (r.ann.draw, announced.get(x.party)), f)
            known[x.party] = x.nonce
    for d, chain in r.log.chains.items() if known else ():
        data = r.files.get(f"log/documents/{chain[0][1].digest}", b"")
        if chain[0][0] >= r.log.chains[r.ann.draw][0][0]:
            continue
        if not r.log.holds(d, "ANNOUNCE", data):
            r.gap(f"未公布 {d} 的公告 its announcement is not here")
            continue
        old = type(r)({"announcement.json": data}, None, b"", None, True)  # if it has no form, log fails
        for c in old.ann.contributions if not old.bad else ():
            again = c.commitment in [commit(old.H, old.ann.draw, c.party, nonce) for nonce in known.values()]
            must(not again, f"{d}: 随机数用过 a nonce used before")
    for party, how, value in r.__dict__.get("shares", ()):
        same((how, value), ("revealed", known[party]) if party in known else ("withheld", value), party)

def listed(r):
    """§11.4: the authority's draws of the year: those that are missing, open or void."""
    chains = {d: chain for d, chain in (r.log.chains if r.log else {}).items() if d[:-6] == r.ann.draw[:-6]}
    numbers = {int(d[-6:]) for d in chains}
    missing = {*range(1, max(numbers, default=0))} - numbers
    if missing:
        r.gap(f"日志中缺编号 numbers that the log does not show: {sorted(missing)}")
    void = [d for d, chain in chains.items() if chain[-1][1].type == "VOID"]
    ended = [d for d, chain in chains.items() if any(e.type == "RESULT" for _, e in chain)]
    r.notes += [f"未终结 open: {sorted(chains.keys() - {*void, *ended})}; 作废 void: {void}"] if chains else []

RUN["canonical"].insert(0, reveals)
RUN["contributions"][1:] = [revealed]
RUN["draws"].append(listed)
RUN |= {"signatures": [signatures], "log": [log], "events": [events]}
