/** The published documents: their types, and the shapes of docs/protocol.md §1–3, 9 and 10 that they must have. */

import { CHECKS as ALL_CHECKS, say } from "./outcome";
import { ascending, both, list, maybe, one, record, type Shape, table, text, where, whole } from "./shape";

export type Ratio = string;
export interface Commitment { root: string; size: number }
export interface Step { amount: number; department: string; kind: "daily" | "total" | "lend" | "seats" }
export interface Item { hours: Ratio; id: string; marks: string[] }
export interface Stratum { expected: Ratio; group: string; id: string; size: number }
export interface Task {
  control: string; department: string; id: string; items: Item[]; lead: string | null;
  mode: "own" | "follows"; strata: Stratum[] | null; total: Ratio | null;
}
export interface Announcement {
  auditor: { key: string; name: string } | null;
  authority: string;
  beacon: { kind: string; round: string; source: string; time: string };
  contributions: { commitment: string; key: string; party: string; signature: string }[];
  crews: { department: string; seats: string[][] }[];
  days: string[];
  deadlines: { findings: string; result: string; reveal: string };
  disclosure: "open" | "sealed";
  draw: string;
  enterprise_ids: "uscc" | "free";
  lists: Record<string, Commitment>;
  period: { end: string; start: string };
  plan: string;
  policy: {
    calendar: "lottery" | "optimise"; cross_district: boolean; embargo: "none" | "crews" | "visits"; relief: Step[];
    substitution: string; undated: "list" | "void";
    visit_limit: { checks: number | null; departments: number | null; hours: Ratio | null } | null;
  };
  profiles: { id: string; strata: Record<string, string> }[] | null;
  rates: { greatest: Ratio; least: Ratio; small: string[] | number; task: string }[];
  software: { name: string; version: string };
  suite: "sha256" | "sm3";
  tasks: Task[];
  timezone: string;
  type: string;
  voids: string[];
}
export interface Person {
  absent: string[]; daily: number; department: string; districts: string[]; marks: string[]; total: number;
}
export interface Selected {
  selected: string[]; strata: { cutoff: string | null; id: string; n: number }[] | null; task: string;
  tickets: string[] | null;
}
export interface Crew { barred: string[]; department: string; seats: string[] }
export interface Check { items: string[]; task: string }
export interface Visit {
  checks: Check[]; crews: Crew[]; date: string | null; district: string; enterprise: string; part: number;
}
export interface Price { days: Record<string, string>; inspector: string; period: string }
export interface Result {
  announcement: string; attempt: number; cutoffs: Commitment | null; draw: string; embargoed: Commitment | null;
  prices: Price[] | null; relief: Step[]; seed: string; selection: Selected[] | null;
  totals: { checks: number; cost: string; crews: number; undated: number; visits: number };
  type: string; visits: Visit[] | null;
}
export interface Beacon {
  keystring: string | null; kind: string; randomness: string; round: string; signature: string | null; source: string;
}
export interface Ties {
  announcement: string;
  attempts: {
    attempt: number; prices: Price[];
    crews: { department: string; enterprise: string; part: number; seats: string[] }[];
  }[];
}
export interface Name { en: string; zh: string }
export interface Labels {
  announcement: string; authority: Name; departments: Record<string, Name>; districts: Record<string, Name>;
  enterprises: Record<string, Name>; inspectors: Record<string, Name>; items: Record<string, Name>;
  rehearsal: boolean; tasks: Record<string, Name>;
}
export interface Finding {
  code: string; date: string; enterprise: string; item: string; method: string; part: number; reason: string | null;
  revision: number; sealed?: string; task: string;
}
export interface Findings { announcement: string; draw: string; findings: Finding[] }
export interface Void { announcement: string; draw: string; reason: string; time: string }
export interface Statistics {
  announcement: string; draw: string; excluded: { count: number; reason: string }[] | null;
  flags: { code: string; task: string; value: string }[];
  frame: { districts: { count: number; district: string }[]; size: number };
  load: { greatest: number; least: number; median: number };
  overlap: { alone: number; independent: string; least_possible: string; visited: number };
  sample: { count: number; district: string }[];
  tasks: { expected: Ratio | null; selected: number; task: string }[];
  undated: { enterprise: string; part: number; reason: string }[];
  workload: { crews: number; days: number; inspector: string }[];
}
export interface Row { detail?: unknown; id: string; sealed?: string }
export interface Opening { hidden: unknown; id: string; list: string; salt: string }

export const ID_PATTERN = /^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$/;
const AN_ID = say("标识", "an id");
export const ID = text(ID_PATTERN, AN_ID);
export const HEX64_PATTERN = /^[0-9a-f]{64}$/;
export const HEX64 = text(HEX64_PATTERN, say(" 64 位小写十六进制", "64 lower-case hex digits"));
const DECIMAL = text(/^(0|[1-9][0-9]{0,99})$/, say("十进制数字串", "a decimal string"));
const POSITIVE = text(/^[1-9][0-9]{0,99}$/, say("大于零的十进制数字串", "a decimal string above zero"));
const TEXT = where((value) => typeof value === "string", say("文本", "text"));
const IDS = ascending(ID);
const NAME = record({ en: TEXT, zh: TEXT });
const COMMITMENT = record({ root: HEX64, size: whole() });

const DAY_PATTERN = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const knownDays = new Map<unknown, boolean>();
const DAY = where((value) => {
  let is = knownDays.get(value);
  if (is === undefined) {
    is = typeof value === "string" && DAY_PATTERN.test(value) && exists(`${value}T00:00:00Z`);
    // A record has few days, and each of them thousands of times.
    if (typeof value === "string" && knownDays.size < 10_000) knownDays.set(value, is);
  }
  return is;
}, say("存在的日期 YYYY-MM-DD", "a date of the calendar, YYYY-MM-DD"));
const INSTANT = where(
  (value) =>
    typeof value === "string" && /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(value) && exists(value),
  say("存在的时刻 YYYY-MM-DDTHH:MM:SSZ", "an instant YYYY-MM-DDTHH:MM:SSZ"),
);
const DAYS = ascending(DAY);

/** An instant in seconds since 1970; null for what is none. */
export function instantSeconds(value: string): bigint | null {
  return INSTANT(value) === null ? BigInt(Date.parse(value) / 1000) : null;
}

function exists(instant: string): boolean {
  const time = Date.parse(instant);
  return !instant.startsWith("0000") && Number.isFinite(time) && new Date(time).toISOString() === instant.replace("Z", ".000Z");
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

const RATIO = where((value) => {
  if (typeof value !== "string" || !/^(0|[1-9][0-9]{0,99})\/[1-9][0-9]{0,99}$/.test(value)) return false;
  const [p, q] = value.split("/") as [string, string];
  return gcd(BigInt(p), BigInt(q)) === 1n;
}, say("最简分数 p/q", "a ratio p/q in lowest terms"));

/** Standard base64 with its padding, of this many bytes, written in the only canonical way. */
function base64(length: number): Shape {
  return where((value) => {
    if (typeof value !== "string" || !/^[0-9A-Za-z+/]*={0,2}$/.test(value)) return false;
    try {
      const bytes = atob(value);
      return bytes.length === length && btoa(bytes) === value;
    } catch {
      return false;
    }
  }, say(` ${length} 字节的 base64`, `base64 of ${length} bytes`));
}

const STEP = record({ amount: whole(), department: ID, kind: one("daily", "total", "lend", "seats") });
const STRATUM = { expected: RATIO, group: ID, id: ID, size: whole() };

function announcementShape(sealed: boolean): Shape {
  const fields = record({
    control: one("one-way", "two-way"), department: ID, id: ID,
    items: ascending(record({ hours: RATIO, id: ID, marks: IDS }), ["id"]),
    lead: maybe(ID), mode: one("own", "follows"),
    strata: sealed ? one(null) : maybe(ascending(record(STRATUM), ["id"])), total: maybe(RATIO),
  });
  const task = both(fields, where((value) => {
    const { control, lead, mode, strata, total } = value as Task;
    if (mode === "own") return lead === null && total !== null && (sealed || strata !== null);
    return control === "one-way" && lead !== null && total === null && strata === null;
  }, say("自抽任务（有 total，公开时有 strata，无 lead），或单向、只有 lead 的跟随任务", "an own task (total, strata unless sealed, no lead), or a one-way follower with nothing but a lead")));
  const limit = record({ checks: maybe(whole(1)), departments: maybe(whole(1)), hours: maybe(RATIO) });
  const commitments: Record<string, Shape> = { frame: COMMITMENT, recusals: COMMITMENT, roster: COMMITMENT };
  if (sealed) commitments.strata = COMMITMENT;
  return record({
    type: one("dualrandom/v1/announcement"), draw: TEXT, plan: ID, authority: ID, timezone: text(/^[0-9A-Za-z_+-]+(\/[0-9A-Za-z_+-]+)*$/, say("时区名", "the name of a time zone")),
    suite: one("sha256", "sm3"), disclosure: one("open", "sealed"), enterprise_ids: one("uscc", "free"),
    auditor: sealed ? record({ key: base64(32), name: TEXT }) : one(null),
    beacon: record({ kind: one("drand", "keystring", "local"), round: ID, source: ID, time: INSTANT }),
    contributions: ascending(
      record({ commitment: HEX64, key: base64(32), party: ID, signature: base64(64) }), ["party"],
    ),
    period: record({ end: DAY, start: DAY }), days: DAYS,
    deadlines: record({ findings: INSTANT, result: INSTANT, reveal: INSTANT }), lists: record(commitments),
    crews: ascending(record({ department: ID, seats: list(IDS) }), ["department"]),
    tasks: ascending(task, ["id"]),
    profiles: sealed ? one(null) : ascending(record({ id: ID, strata: table(ID, ID) }), ["id"]),
    policy: record({
      calendar: one("lottery", "optimise"), cross_district: one(true, false), embargo: one("none", "crews", "visits"),
      relief: list(STEP), substitution: one("fresh", "next", "none"), undated: one("list", "void"),
      visit_limit: maybe(limit),
    }),
    rates: ascending(record({ greatest: RATIO, least: RATIO, small: sealed ? whole() : IDS, task: ID }), ["task"]),
    software: record({ name: TEXT, version: TEXT }), voids: IDS,
  });
}

const DRAW = /^(.+)-[0-9]{4}-(?!000000)[0-9]{6}$/;

export const ANNOUNCEMENT: Shape = (value) => {
  const given = value as Announcement | null;
  const refused = announcementShape(given?.disclosure === "sealed")(value);
  if (refused !== null) return refused;
  const draw = where((name) => DRAW.exec(name as string)?.[1] === given!.authority && ID_PATTERN.test(name as string),
    say(` ${given!.authority}-年份-六位序号（自 000001 起）`, `${given!.authority}-<year>-<6 digits, from 000001>`))(given!.draw);
  return draw && { at: ".draw", why: draw.why };
};

const KEYSTRING = maybe(text(/^[\x00-\x7f]*$/, say(" ASCII 文本", "ASCII text")));
const SIGNATURE = maybe(text(/^([0-9a-f]{2})*$/, say("小写十六进制字节", "bytes in lower-case hex")));

export const BEACON = record({
  keystring: KEYSTRING, kind: ID, randomness: HEX64, round: ID, signature: SIGNATURE, source: ID,
  type: one("dualrandom/v1/beacon"),
});

const CHECKS = ascending(record({ items: ascending(ID, [], 1), task: ID }), ["task"], 1);
const CREW = record({ barred: IDS, department: ID, seats: list(ID) });
const SHOWN = { checks: CHECKS, district: ID, enterprise: ID, part: whole(1) };
export const VISIT = record({ ...SHOWN, crews: ascending(CREW, ["department"]), date: maybe(DAY) });
export const VISITS = ascending(VISIT, ["enterprise", "part"]);
/** Whose prices are all zero is left out. */
const priced = where((value) => (value as Price).period !== "0" || Object.keys((value as Price).days).length > 0,
  say("不全为零的价格（全为零者应略去）", "prices that are not all zero, which are left out"));
export const PRICES = ascending(both(record({ days: table(DAY, POSITIVE), inspector: ID, period: DECIMAL }), priced), ["inspector"]);

/** The selection of a draw: what stands in it depends on the disclosure and on the task's mode. */
export function selectionShape(announcement: Announcement): Shape {
  const own = new Set(announcement.tasks.filter((task) => task.mode === "own").map((task) => task.id));
  const sealed = announcement.disclosure === "sealed";
  const distinct = where((value) => new Set(value as string[]).size === (value as string[]).length, say("不重复的标识", "distinct ids"));
  const strata = ascending(record({ cutoff: maybe(HEX64), id: ID, n: whole() }), ["id"]);
  const shape = (leads: boolean): Shape => record({
    selected: sealed ? IDS : both(list(ID), distinct), task: ID, strata: leads && !sealed ? strata : one(null),
    tickets: leads && sealed ? ascending(HEX64) : one(null),
  });
  const [lead, follower] = [shape(true), shape(false)];
  return ascending((value) => (own.has((value as Selected | null)?.task ?? "") ? lead : follower)(value), ["task"]);
}

export function resultShape(announcement: Announcement): Shape {
  const { embargo } = announcement.policy;
  const hidden = one(null);
  return record({
    type: one("dualrandom/v1/result"), announcement: HEX64, draw: ID, seed: HEX64, attempt: whole(), relief: list(STEP),
    selection: embargo === "visits" ? hidden : selectionShape(announcement),
    cutoffs: announcement.disclosure === "sealed" ? COMMITMENT : hidden,
    visits: embargo === "visits" ? hidden : embargo === "crews" ? ascending(record(SHOWN), ["enterprise", "part"]) : VISITS,
    prices: embargo === "none" ? PRICES : hidden, embargoed: embargo === "none" ? hidden : COMMITMENT,
    totals: record({ checks: whole(), cost: DECIMAL, crews: whole(), undated: whole(), visits: whole() }),
  });
}

const NAMES = table(ID, NAME);
const HEAD = { announcement: HEX64, draw: ID };
const COUNTS = ascending(record({ count: whole(), district: ID }), ["district"]);
const SIX = text(/^(0|[1-9][0-9]*)\.[0-9]{6}$/, say("六位小数", "a decimal string with six digits"));

/** §10.1. */
const FLAG_VALUE: Record<string, Shape> = {
  "small-frame": DECIMAL, "small-pool": DECIMAL, "high-rate": RATIO, "scope-changed": one("scope"), "edits-not-checked": one("no-snapshot"),
  "classes-changed": POSITIVE,
};
const FLAG = both(
  record({ code: one(...Object.keys(FLAG_VALUE)), task: TEXT, value: TEXT }),
  where((value) => {
    const { code, task, value: shown } = value as Statistics["flags"][number];
    return FLAG_VALUE[code]!(shown) === null && (code === "edits-not-checked" ? task === "" : ID(task) === null);
  }, say("任务与取值合于代码的标记", "a flag whose task and value go with its code")),
);
const FLAGS = both(ascending(FLAG, ["code", "task"]), where((value) => {
  const codes = (value as Statistics["flags"]).map((flag) => flag.code);
  return !codes.includes("edits-not-checked") || !codes.some((code) => code === "classes-changed" || code === "scope-changed");
}, say("不与 edits-not-checked 相左的标记", "flags that edits-not-checked does not exclude")));

export const LABELS = record({
  announcement: HEX64, authority: NAME, departments: NAMES, districts: NAMES, enterprises: NAMES, inspectors: NAMES,
  items: table(ID, record({ basis: TEXT, en: TEXT, zh: TEXT })), rehearsal: one(true, false), tasks: NAMES,
  type: one("dualrandom/v1/labels"),
});
export const STATISTICS = record({
  ...HEAD, type: one("dualrandom/v1/statistics"),
  excluded: maybe(ascending(record({ count: whole(1), reason: ID }), ["reason"])),
  flags: FLAGS,
  frame: record({ districts: COUNTS, size: whole() }),
  load: record({ greatest: whole(), least: whole(), median: whole() }),
  overlap: record({ alone: whole(), independent: SIX, least_possible: SIX, visited: whole() }),
  sample: COUNTS,
  tasks: ascending(record({ expected: maybe(RATIO), selected: whole(), task: ID }), ["task"]),
  undated: ascending(
    record({ enterprise: ID, part: whole(1), reason: one("closed", "seat-without-candidate", "no-seatable-day") }), ["enterprise", "part"],
  ),
  workload: ascending(record({ crews: whole(), days: whole(), inspector: ID }), ["inspector"]),
});
const FINDING_FIELDS = {
  code: TEXT, date: DAY, enterprise: ID, item: ID, method: TEXT, part: whole(1), reason: maybe(TEXT), revision: whole(1), task: ID,
};
const FINDING = record(FINDING_FIELDS);
/** `sealed` stands only where the authority keeps more than the row says. */
const SEALED_FINDING = record({ ...FINDING_FIELDS, sealed: HEX64 });
export const FINDINGS = record({
  ...HEAD, type: one("dualrandom/v1/findings"),
  findings: ascending(
    (value) => (Object.hasOwn(Object(value), "sealed") ? SEALED_FINDING : FINDING)(value), ["enterprise", "part", "task", "item", "revision"],
  ),
});
export const VOID = record({ ...HEAD, reason: TEXT, time: INSTANT, type: one("dualrandom/v1/void") });
export const TIES = record({
  announcement: HEX64, type: one("dualrandom/v1/ties"),
  attempts: ascending(
    record({
      attempt: whole(), prices: PRICES,
      crews: ascending(
        record({ department: ID, enterprise: ID, part: whole(1), seats: list(ID) }), ["enterprise", "part", "department"],
      ),
    }),
    ["attempt"],
  ),
});

export const LISTS = ["frame", "roster", "recusals", "strata", "cutoffs", "visits"] as const;
export type ListName = (typeof LISTS)[number];

/** The shapes of a list's row and of what a sealed row hides. `days` are those of the announcement. */
export function listShapes(announcement: Announcement): Record<ListName, { id: RegExp; row: Shape; hidden: Shape }> {
  const days = new Set(announcement.days);
  const announced = both(DAYS, where((value) => (value as string[]).every((day) => days.has(day)), say("公告的 days 中的日期", "dates among the announced days")));
  const firm = { closed: announced, district: ID };
  const person = record({
    absent: announced, daily: whole(), department: ID, districts: IDS, marks: IDS, total: whole(),
  });
  const ground = { ground: ID };
  const pair = /^[0-9A-Za-z][0-9A-Za-z._-]{0,63}~[0-9A-Za-z][0-9A-Za-z._-]{0,63}$/;
  const numbered = (letter: string): RegExp => new RegExp(`^${letter}[0-9]{4,}$`);
  const embargoed = /^(v[0-9]{5,}|prices|selection)$/;
  const sealed = announcement.disclosure === "sealed";
  const shut = (id: RegExp): { id: RegExp; row: Shape } => ({ id, row: record({ id: text(id, AN_ID), sealed: HEX64 }) });
  const row = (id: RegExp, detail: Shape): { id: RegExp; row: Shape } => sealed ? shut(id) : { id, row: record({ detail, id: text(id, AN_ID) }) };
  const visible = both(list(ID), where((value) => (value as string[]).length === 2, say("一对标识", "a pair of ids")));
  return {
    frame: { ...row(ID_PATTERN, record({ ...firm, profile: ID })), hidden: record({ ...firm, strata: table(ID, ID) }) },
    roster: {
      id: ID_PATTERN, row: sealed ? record({ detail: person, id: ID, sealed: HEX64 }) : record({ detail: person, id: ID }),
      hidden: record({ person: TEXT }),
    },
    recusals: { ...row(sealed ? numbered("r") : pair, record(ground)), hidden: record({ ...ground, pair: visible }) },
    strata: { ...shut(numbered("s")), hidden: record({ ...STRATUM, task: ID }) },
    cutoffs: { ...shut(numbered("s")), hidden: record({ n: whole(), tickets: ascending(HEX64) }) },
    visits: { ...shut(embargoed), hidden: VISIT },
  };
}

/** What a row of the list `visits` hides. */
export function embargoedShape(announcement: Announcement, id: string): Shape {
  return id === "prices" ? PRICES : id === "selection" ? selectionShape(announcement) : VISIT;
}

/** reveals/<party>.json, §11.1. */
export interface Reveal { draw: string; nonce: string; party: string }
export const REVEAL = record({ draw: ID, nonce: HEX64, party: ID, type: one("dualrandom/v1/reveal") });

const EXCLUDE_REASONS = ["deregistered", "moved-away", "unreachable-before-visit", "suspended", "case-conflict", "register-error", "force-majeure"] as const;
const REPLACE_REASONS = ["ill", "other-duty", "left", "licence-expired", "newly-recused", "on-enterprise-application"] as const;
export const WITHDRAW_REASONS = ["reorganised", "ordered-elsewhere", "no-inspectors", "force-majeure"] as const;
interface Row13 { number: number; prev: string }
export interface Exclude extends Row13 {
  type: "exclude"; beacon: { round: string; time: string } | null; enterprise: string; evidence: string | null; time: string;
  reason: (typeof EXCLUDE_REASONS)[number];
}
export interface Substitute extends Row13 {
  type: "substitute"; evidence: { keystring: string | null; randomness: string; signature: string | null } | null; exclude: string;
  names: Record<string, Name>; seed: string; tasks: { enterprise: string | null; task: string }[]; visits: Visit[];
}
export interface Replace extends Row13 {
  type: "replace"; department: string; enterprise: string; in: string; out: string; part: number; seat: number; seats: string[]; time: string;
  reason: (typeof REPLACE_REASONS)[number];
}
export interface Withdraw extends Row13 {
  type: "withdraw"; department: string; evidence: string | null; from: string; time: string;
  reason: (typeof WITHDRAW_REASONS)[number];
}
export type Change = Exclude | Substitute | Replace | Withdraw;

const CHAINED = { number: whole(1), prev: HEX64 };
const EXCLUDE = record({
  ...CHAINED, type: one("exclude"), beacon: maybe(record({ round: ID, time: INSTANT })), enterprise: ID, evidence: maybe(HEX64), time: INSTANT,
  reason: one(...EXCLUDE_REASONS),
});
const SUBSTITUTE = record({
  ...CHAINED, type: one("substitute"), exclude: HEX64, names: table(ID, NAME), seed: HEX64,
  evidence: maybe(record({ keystring: KEYSTRING, randomness: HEX64, signature: SIGNATURE })),
  tasks: ascending(record({ enterprise: maybe(ID), task: ID }), ["task"]), visits: list(VISIT),
});
const REPLACE = record({
  ...CHAINED, type: one("replace"), department: ID, enterprise: ID, in: ID, out: ID, part: whole(1), seat: whole(), seats: list(ID), time: INSTANT,
  reason: one(...REPLACE_REASONS),
});
const WITHDRAW = record({
  ...CHAINED, type: one("withdraw"), department: ID, evidence: maybe(HEX64), from: DAY, reason: one(...WITHDRAW_REASONS), time: INSTANT,
});

export interface Attestation {
  announcement: string; auditor: string; changes: string | null; checks: { name: string; status: string }[]; draw: string; result: string;
  signature: string;
}

/** The auditor's attestation, §15. */
export const ATTESTATION = record({
  ...HEAD, type: one("dualrandom/v1/attest"), auditor: base64(32), changes: maybe(HEX64), result: HEX64, signature: base64(64),
  checks: both(
    list(record({ name: ID, status: one("PASS", "NOT CHECKED") })),
    where((value) => (value as { name: string }[]).map(({ name }) => name).join() === ALL_CHECKS.join(), say("§12 的全部核对，依其次序", "all checks in the order of §12")),
  ),
});

/** A row of changes.jsonl, §13. */
export const CHANGE: Shape = (value) => {
  const { type } = (value ?? {}) as { type?: string };
  return (type === "exclude" ? EXCLUDE : type === "substitute" ? SUBSTITUTE : type === "withdraw" ? WITHDRAW : REPLACE)(value);
};
