/** The page: takes files, has them checked in the background, and shows what came of it. */

import { badge, button, chooser, type Content, el, icon, KIND, speak, spoken, t } from "./dom";
import type { Summary } from "./explain";
import { chosen, dropped, fetched, lacking, sorted } from "./gather";
import { byHand } from "./hand";
import type { Bundle, Verified } from "./messages";
import { assembled, isScanned, readsPictures, ScanFault, scanned, textsIn } from "./scanned";
import { Refused, Threads, type Watch } from "./threads";
import { fromHex } from "./verify/hash";
import { LogFault } from "./verify/note";
import { type CheckName, CHECKS, type Outcome, type Said, type Status } from "./verify/outcome";
import { parsePolicy } from "./verify/policy";
import type { Files } from "./verify/record";
import { CHECK_WORDS, GROUPS, WORDS } from "./words";

/** Rough shares of the time that the checks take, for the bar. */
const SHARES: Partial<Record<CheckName, number>> = { canonical: 6, lists: 4, selection: 3, dates: 9, crews: 5, prices: 12, result: 4, beacon: 1 };

interface State {
  bundle: Bundle; phase: "start" | "reading" | "checking" | "done"; verified: Verified | null; seconds: number; problem: Said | null;
  notice: Said | null; chosen: { id: string | null };
  /** The texts of the codes of a receipt, as far as they were given. */
  codes: string;
}

const NOTHING: Bundle = { files: new Map(), auditor: null, policy: null, receipt: null };
const state: State = { bundle: { ...NOTHING }, phase: "start", verified: null, seconds: 0, problem: null, notice: null, chosen: { id: null }, codes: "" };
const page = document.getElementById("page")!;
const code = document.getElementById("worker")!.textContent!;
let pool: Threads | null = null;

function threads(): Threads {
  pool ??= new Threads(code);
  return pool;
}

/** Verify files (name → bytes) as the page does. Tests call it, and so may anybody in the browser's console. */
async function verifyFiles(
  files: Record<string, Uint8Array>, auditor?: { secret: string; openings: Record<string, Uint8Array> } | null, policy?: Uint8Array | null,
  receipt?: Uint8Array | null,
): Promise<Verified> {
  const given = auditor ? { secret: fromHex(auditor.secret.trim()), openings: new Map(Object.entries(auditor.openings)) } : null;
  return threads().verify({ files: new Map(Object.entries(files)), auditor: given, policy: policy ?? null, receipt: receipt ?? null }, () => {});
}

declare global {
  interface Window { dualrandomVerify: typeof verifyFiles }
}
window.dualrandomVerify = verifyFiles;

// ---- taking files ---------------------------------------------------------------------------------------------------

/** `failure` is told where nothing could be gathered. */
async function take(gather: () => Promise<Files | null>, failure: Said): Promise<void> {
  const before = state.phase;
  Object.assign(state, { phase: "reading", problem: null, notice: null });
  render();
  const given = await gather().catch(() => null);
  const { auditor, pictures, policy, receipt: file, record, scanned: texts, several } = sorted(given ?? new Map());
  const refuse = (problem: Said | null, notice: Said | null = null): void => {
    Object.assign(state, { phase: before === "done" ? "done" : "start", problem, notice });
    render();
    page.querySelector('.notice[role="alert"]')?.scrollIntoView({ block: "nearest" });
  };
  const { bundle } = state;
  if (policy !== null) {
    const wrong = policyFault(policy);
    if (wrong !== null) return refuse(wrong);
    bundle.policy = policy;
  }
  const codes = file === null && (texts !== "" || pictures.size > 0);
  const receipt = codes ? await fromCodes(texts, pictures) : file;
  if (record !== null) Object.assign(bundle, { files: record, auditor, receipt: receipt ?? (before === "start" ? bundle.receipt : null) });
  else {
    if (auditor !== null) bundle.auditor = auditor;
    if (receipt !== null) bundle.receipt = receipt;
  }
  if (record === null && auditor === null && policy === null && receipt === null) return codes ? refuse(state.problem, state.notice) : refuse(given === null ? failure : lacking(given));
  if (bundle.files.size === 0) return refuse(state.problem, receipt !== null ? WORDS.receiptTaken : policy !== null ? WORDS.policyTaken : WORDS.noRecord);
  state.notice = several;
  if (before === "done" && record === null && auditor === null && policy === null) await judge(receipt!);
  else await check();
}

/** The receipt of the codes given so far, these among them; null and a problem, or what is still missing. */
async function fromCodes(texts: string, pictures: Files): Promise<Uint8Array | null> {
  try {
    const seen = pictures.size === 0 ? "" : await textsIn(pictures);
    for (const text of [texts, seen]) if (!state.codes.includes(text)) state.codes += `${state.codes === "" ? "" : "\n"}${text}`;
    const receipt = await assembled(state.codes);
    state.codes = "";
    return receipt;
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    state.problem = error.said;
    return null;
  }
}

function policyFault(policy: Uint8Array): Said | null {
  try {
    parsePolicy(policy);
    return null;
  } catch (error) {
    if (error instanceof LogFault) return error.said;
    throw error;
  }
}

/** A receipt for the record that is shown. */
async function judge(receipt: Uint8Array): Promise<void> {
  const { outcome, receipt: id } = await threads().first.ask("judge", { receipt }, "judged");
  const { verified } = state;
  if (verified === null) return;
  verified.receipt = id;
  verified.outcomes = [...verified.outcomes.filter((one) => one.name !== "receipt"), outcome];
  verified.exit = verified.outcomes.some((one) => one.status === "FAIL") ? 1 : verified.outcomes.every((one) => one.status === "PASS") ? 0 : 3;
  Object.assign(state, { phase: "done", chosen: { id } });
  render();
  page.querySelector<HTMLElement>("#verdict-of-receipt")?.scrollIntoView({ block: "start" });
}

async function check(): Promise<void> {
  Object.assign(state, { phase: "checking", verified: null, chosen: { id: null } });
  render();
  const start = performance.now();
  try {
    state.verified = await threads().verify(state.bundle, watcher());
  } catch (error) {
    pool?.end();
    pool = null;
    Object.assign(state, { phase: "start", problem: error instanceof Refused ? error.said : WORDS.noWorker });
    render();
    return;
  }
  state.seconds = (performance.now() - start) / 1000;
  Object.assign(state, { phase: "done", chosen: { id: state.verified.receipt } });
  render();
  page.querySelector<HTMLElement>(".verdict h2")?.focus({ preventScroll: true });
}

/** Moves the bar, and names what is being checked. */
function watcher(): Watch {
  const bar = page.querySelector<HTMLElement>(".bar > div")!;
  const label = page.querySelector<HTMLElement>("#doing")!;
  const shares = new Map<CheckName, number>();
  const weight = (name: CheckName): number => SHARES[name] ?? 0.3;
  const total = CHECKS.reduce((sum, name) => sum + weight(name), 0);
  return (name, share) => {
    shares.set(name, share);
    const done = [...shares].reduce((sum, [one, part]) => sum + part * weight(one), 0);
    const percent = Math.min(100, Math.round((100 * done) / total));
    bar.style.width = `${percent}%`;
    bar.parentElement!.setAttribute("aria-valuenow", String(percent));
    if (share < 1) label.textContent = `${t(WORDS.checking)}${spoken() === "zh" ? "：" : ": "}${t(CHECK_WORDS[name].title)}`;
  };
}

// ---- showing --------------------------------------------------------------------------------------------------------

function render(): void {
  document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
  document.title = t(WORDS.title);
  const toggle = button(t(WORDS.other), "plain", () => {
    speak(spoken() === "zh" ? "en" : "zh");
    render();
    page.querySelector<HTMLElement>("header button")?.focus();
  });
  toggle.lang = spoken() === "zh" ? "en" : "zh-CN";
  const done = state.phase === "done" && state.verified !== null;
  page.replaceChildren(
    el("header", {}, el("div", {}, el("h1", {}, t(WORDS.title)), done ? null : el("p", { class: "lead" }, t(WORDS.lead))), toggle),
    el("main", {}, ...(state.phase === "start" ? start() : done ? report(state.verified!) : progress())),
    el("footer", {},
      el("h2", {}, t(WORDS.limits)), el("p", {}, t(WORDS.limitsText)),
      el("p", {}, t(WORDS.made), t(WORDS.source), " ", el("span", { class: "mono" }, (page.dataset.sources ?? "").slice(0, 16))),
    ),
  );
}

function messages(): Content[] {
  return [
    state.problem === null ? null : el("p", { class: "notice", role: "alert" }, t(state.problem)),
    state.notice === null ? null : el("p", { class: "notice good", role: "status" }, t(state.notice)),
  ];
}

function takeChosen(files: FileList): void {
  void take(() => chosen(files), WORDS.noRead);
}

function start(): Content[] {
  const served = location.protocol.startsWith("http");
  const address = el("input", { type: "text", id: "address", value: served ? "./" : "", autocomplete: "off", spellcheck: "false" });
  const go = (): void => void take(() => fetched(address.value.trim()), WORDS.noFetch);
  address.addEventListener("keydown", (event) => event.key === "Enter" && go());
  const zone = el("section", { class: "drop" },
    icon("folder"), el("strong", {}, t(WORDS.drop)), el("p", { class: "soft" }, t(WORDS.dropHint)),
    el("div", { class: "row center" }, chooser("folder", t(WORDS.folder), "main", true, takeChosen), chooser("files", t(WORDS.files), "", false, takeChosen)),
    served
      ? el("div", { class: "address" }, el("div", {}, el("label", { for: "address" }, t(WORDS.address)), address), button(t(WORDS.fetch), "", go))
      : null,
    served ? el("p", { class: "soft small" }, t(WORDS.addressHint)) : null,
  );
  return [zone, ...messages(), el("p", { class: "soft small" }, t(WORDS.private)), codesForm()];
}

/** A receipt as texts of scanned codes, one after the other. */
function codesForm(): HTMLElement {
  const field = el("textarea", { id: "codes", rows: "4", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: "DUALRANDOM:1:…" }, state.codes);
  const far = el("p", { class: "soft small", role: "status", id: "codes-far" });
  const tell = (): void => {
    state.codes = field.value;
    const said = scanned(field.value);
    far.textContent = said === null ? "" : t(said);
  };
  field.addEventListener("input", tell);
  tell();
  const go = (): void => {
    const texts = isScanned(state.codes) ? new Map([["codes.txt", new TextEncoder().encode(state.codes)]]) : null;
    void take(() => Promise.resolve(texts), WORDS.codesNone);
  };
  return el("details", { class: "card codes", ...(state.codes === "" ? {} : { open: "" }) },
    el("summary", {}, t(WORDS.codes)), el("p", { class: "soft small" }, t(readsPictures() ? WORDS.codesPictures : WORDS.codesHint)),
    el("label", { for: "codes" }, t(WORDS.codesTexts)), field, far,
    el("div", { class: "row" }, button(t(WORDS.codesGo), "", go), readsPictures() ? chooser("pictures", t(WORDS.codesChoose), "", false, takeChosen) : null));
}

function progress(): Content[] {
  return [el("section", { class: "card progress" },
    el("div", { id: "doing", role: "status" }, t(state.phase === "reading" ? WORDS.reading : WORDS.checking)),
    el("div", { class: "bar", role: "progressbar", "aria-label": t(WORDS.checking), "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, el("div")))];
}

function report({ exit, outcomes, receipt: ofReceipt, summary }: Verified): Content[] {
  const own = outcomes.filter((one) => one.name !== "receipt");
  const count = (status: Status): number => own.filter((one) => one.status === status).length;
  const numbers = { pass: count("PASS"), open: count("NOT CHECKED"), fail: count("FAIL") };
  const receipt = outcomes.find((one) => one.name === "receipt");
  return [
    verdict(own, exit === 1 && numbers.fail === 0 ? (numbers.open > 0 ? 3 : 0) : exit, summary, numbers),
    receipt ? receiptVerdict(receipt, ofReceipt !== null) : null, ...messages(),
    summary?.rehearsal ? el("p", { class: "notice open" }, t(WORDS.rehearsal)) : null,
    summary?.beacon.kind === "local" ? el("p", { class: "notice open" }, t(WORDS.local)) : null,
    summary ? facts(summary) : null,
    summary && summary.warnings.length > 0 ? warned(summary.warnings) : null,
    summary && receipt === undefined ? receiptAsked() : null,
    el("h2", {}, t(WORDS.checks)), checks(own),
    ...(summary?.logKey ? trust(summary.logKey) : []),
    ...(summary?.seed ? byHand({ threads: threads(), summary, auditor: state.bundle.auditor !== null, chosen: state.chosen, takeReceipt: takeChosen }) : []),
    codesForm(),
    el("p", { class: "row again" }, button(t(WORDS.again), "", () => {
      Object.assign(state, { phase: "start", bundle: { ...NOTHING, policy: state.bundle.policy }, verified: null, problem: null, notice: null });
      render();
    })),
  ];
}

function verdict(outcomes: Outcome[], exit: 0 | 1 | 3, summary: Summary | null, numbers: Record<string, number>): HTMLElement {
  const waiting = exit === 3 && summary !== null && summary.seed === null && !summary.voided;
  const [title, text] = exit === 0 ? [WORDS.pass, WORDS.passText] : exit === 1 ? [WORDS.fail, WORDS.failText]
    : waiting ? [WORDS.waiting, WORDS.waitingText] : [WORDS.incomplete, WORDS.incompleteText];
  // "Nothing is wrong" must look neither like a warning nor like "everything checks".
  const [kind, mark] = exit === 0 ? ["pass", "PASS"] as const : exit === 1 ? ["fail", "FAIL"] as const : ["part", "PASS"] as const;
  const colon = spoken() === "zh" ? "：" : ": ";
  return el("section", { class: `verdict ${kind}`, role: "status" },
    el("div", { class: "mark" }, icon(mark)),
    el("div", {}, el("h2", { tabindex: "-1" }, t(title)), el("p", {}, t(text, { ...numbers, time: summary ? shownTime(summary.beacon.time, summary.timezone) : "" })),
      exit === 1 ? el("ul", {}, ...outcomes.filter((one) => one.status === "FAIL").map((one) =>
        el("li", {}, el("strong", {}, t(CHECK_WORDS[one.name].title)), colon, t(one.reason)))) : null,
      exit === 1 ? el("p", { class: "small" }, t(WORDS.firstFault)) : null,
      el("p", { class: "soft small" }, t(WORDS.seconds, { n: state.seconds.toFixed(1) }), state.bundle.auditor ? ` · ${t(WORDS.auditor)}` : "", state.bundle.policy ? ` · ${t(WORDS.policyUsed)}` : "")));
}

/** Where those who have a receipt are told what to do with it. */
function receiptAsked(): HTMLElement {
  return el("p", { class: "asked" }, el("span", { class: "soft" }, t(WORDS.receiptAsked)), " ", chooser("receipt-any", t(WORDS.receiptFile), "", false, takeChosen));
}

/** What the receipt shows; the page also shows its enterprise by hand. */
function receiptVerdict({ reason, status }: Outcome, enterprise: boolean): HTMLElement {
  const title = { PASS: !enterprise ? WORDS.receiptPassInspector : WORDS.receiptPass, FAIL: WORDS.receiptFail, "NOT CHECKED": WORDS.receiptOpen }[status];
  return el("section", { class: `verdict small-verdict ${status === "NOT CHECKED" ? "part" : KIND[status]}`, id: "verdict-of-receipt", role: "status", "data-check": "receipt", "data-status": status },
    el("div", { class: "mark" }, icon(status)),
    el("div", {}, el("h2", {}, t(title)), el("p", {}, t(reason)), !enterprise ? null : el("p", { class: "small" }, el("a", { href: "#hand" }, t(WORDS.receiptMore)))));
}

/** An instant where the draw takes place, and in UTC. */
function shownTime(instant: string, timeZone: string): string {
  const utc = instant.replace("T", " ").replace("Z", " UTC");
  try {
    const local = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(new Date(instant));
    const [day, time] = [utc.slice(0, 10), utc.slice(11)];
    const also = local.startsWith(day) ? time : utc;
    return spoken() === "zh" ? `${local}（${timeZone === "Asia/Shanghai" ? "北京时间" : timeZone}，即 ${also}）` : `${local} (${timeZone}, ${also})`;
  } catch {
    // A time zone that this browser does not know.
    return utc;
  }
}

function facts(summary: Summary): HTMLElement {
  const { authority, beacon, changes, counts, digest, draw, end, frame, seed, start: first } = summary;
  const many = (n: number | null): string => (n === null ? "?" : n.toLocaleString("en-US"));
  const rows: [Said, Content][] = [
    [WORDS.authority, authority[spoken()] || authority.zh],
    [WORDS.draw, el("span", { class: "mono" }, draw)],
    [WORDS.period, spoken() === "zh" ? `${first} 至 ${end}` : `${first} to ${end}`],
  ];
  if (counts !== null)
    rows.push([WORDS.counts, t(counts.firms === null ? WORDS.countsHidden : WORDS.countsText, { frame: many(frame), firms: many(counts.firms), visits: many(counts.visits), crews: many(counts.crews) })]);
  else rows.push([WORDS.frame, t(WORDS.frameText, { frame: many(frame) })]);
  if (changes !== null) rows.push([WORDS.since, t(changes)]);
  rows.push([WORDS.beacon, `${beacon.kind === "drand" ? "drand quicknet" : beacon.kind} ${beacon.round} · ${shownTime(beacon.time, summary.timezone)}`]);
  rows.push([WORDS.digest, el("span", { class: "mono" }, digest)]);
  if (seed !== null) rows.push([WORDS.seed, el("span", { class: "mono" }, seed)]);
  return el("dl", { class: "card facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)]));
}

/** What happened unusually often: no fault, but somebody should look at it. */
function warned(warnings: Said[]): HTMLElement {
  return el("section", { class: "notice open", id: "warnings" }, el("strong", {}, t(WORDS.unusual)),
    el("ul", {}, ...warnings.map((one) => el("li", {}, t(one)))), el("p", { class: "small" }, t(WORDS.unusualText)));
}

function checks(outcomes: Outcome[]): HTMLElement {
  const found = new Map(outcomes.map((one) => [one.name, one]));
  const box = el("section", { class: "card checks" });
  for (const { checks: names, title } of GROUPS) {
    const list = names.map((name) => {
      const { reason, status } = found.get(name)!;
      return el("li", { class: `check ${KIND[status]}`, "data-check": name, "data-status": status },
        badge(status), el("span", { class: "name" }, t(CHECK_WORDS[name].title)),
        el("div", {}, el("div", {}, t(CHECK_WORDS[name].question)), el("div", { class: "why" }, t(reason))));
    });
    box.append(el("h3", {}, t(title)), el("ul", {}, ...list));
  }
  return box;
}

// ---- whom to trust --------------------------------------------------------------------------------------------------

function trust(key: string): Content[] {
  const given = state.bundle.policy === null ? "" : new TextDecoder().decode(state.bundle.policy);
  const field = el("textarea", { id: "policy", rows: "5", spellcheck: "false", autocomplete: "off" }, given);
  const wrong = el("p", { class: "notice", role: "alert", hidden: "" });
  const go = (): void => {
    const text = field.value.trim();
    const policy = text === "" ? null : new TextEncoder().encode(`${text}\n`);
    const fault = policy === null ? null : policyFault(policy);
    wrong.hidden = fault === null;
    wrong.textContent = fault === null ? "" : t(fault);
    if (fault !== null) return;
    state.bundle.policy = policy;
    void check();
  };
  return [
    el("h2", {}, t(WORDS.trust)),
    el("section", { class: "card hand" },
      el("p", {}, t(WORDS.trustLead)), el("p", { class: "soft small" }, t(WORDS.trustKey)), el("div", { class: "command bare" }, el("code", {}, key)),
      el("label", { for: "policy" }, t(WORDS.policy)), field, wrong,
      el("div", { class: "row below" }, button(t(WORDS.policyCheck), "", go), chooser("policy-file", t(WORDS.policyFile), "", false, takeChosen))),
  ];
}

// ---- start ----------------------------------------------------------------------------------------------------------

for (const kind of ["dragenter", "dragover", "dragleave", "drop"] as const)
  addEventListener(kind, (event) => {
    event.preventDefault();
    const over = kind === "dragenter" || kind === "dragover";
    document.body.classList.toggle("over", over);
    const { dataTransfer } = event as DragEvent;
    if (kind === "drop" && dataTransfer !== null && state.phase !== "checking" && state.phase !== "reading")
      void take(() => dropped(dataTransfer), WORDS.noRead);
  });
render();
try {
  // They start while the reader looks for the files.
  threads();
} catch {
  // Tried again, and told, when there is something to check.
}
// Served beside a record, the page checks it at once.
if (location.protocol.startsWith("http"))
  void fetch("./announcement.json", { method: "HEAD" }).then((answer) => {
    if (answer.ok && state.phase === "start") void take(() => fetched("./"), WORDS.noFetch);
  }).catch(() => {});
