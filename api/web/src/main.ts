/** The page: takes files, has them checked in the background, and shows what came of it. All text goes in as text. */

import type { Explanation, Summary } from "./explain";
import { chosen, dropped, fetched, sorted } from "./gather";
import type { Answer, Request, Verified } from "./messages";
import { fromHex } from "./verify/hash";
import { CHECKS, type CheckName, type Outcome, type Said, type Status } from "./verify/outcome";
import type { AuditorFiles, Files } from "./verify/record";
import { CHECK_WORDS, GROUPS, type Language, STATUS, WORDS } from "./words";

type Content = Node | string | null;
type Ask<K extends Request["kind"]> = Omit<Extract<Request, { kind: K }>, "id" | "kind">;

/** Rough shares of the time that the checks take, for the bar. */
const SHARES: Partial<Record<CheckName, number>> = { canonical: 8, lists: 5, selection: 4, dates: 3, crews: 2, prices: 4, result: 2, beacon: 1 };

const state: {
  language: Language; files: Files; auditor: AuditorFiles | null; phase: "start" | "reading" | "checking" | "done";
  verified: Verified | null; seconds: number; problem: Said | null; chosen: string | null;
} = {
  language: navigator.languages.some((language) => language.toLowerCase().startsWith("zh")) || !navigator.languages.length ? "zh" : "en",
  files: new Map(), auditor: null, phase: "start", verified: null, seconds: 0, problem: null, chosen: null,
};

const page = document.getElementById("page")!;

function t(said: Said, values: Record<string, string | number> = {}): string {
  return said[state.language].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {}, ...content: Content[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content.filter((one) => one !== null));
  return element;
}

const PATHS = {
  PASS: "M4 12.5l5 5L20 6.5", FAIL: "M6 6l12 12M18 6L6 18", "NOT CHECKED": "M5 12h14",
  folder: "M3 7.5A1.5 1.5 0 0 1 4.5 6h4.6l2 2.4h8.4A1.5 1.5 0 0 1 21 9.9v7.6a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5zM12 16v-4.4m0 0l-2 2m2-2l2 2",
};

function icon(name: keyof typeof PATHS): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const stroke = { d: PATHS[name], stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round", "stroke-width": name === "folder" ? "1.5" : "2.6" };
  for (const [key, value] of Object.entries(stroke)) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

function button(label: string, kind: string, act: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: kind }, label);
  made.addEventListener("click", act);
  return made;
}

// ---- the background thread ------------------------------------------------------------------------------------------

let thread: Worker | null = null;
let asked = 0;
const waiting = new Map<number, { resolve: (answer: Answer) => void; watch: (check: CheckName, share: number) => void }>();

function worker(): Worker {
  if (thread !== null) return thread;
  const code = document.getElementById("worker")!.textContent!;
  thread = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  thread.onmessage = ({ data }: MessageEvent<Answer>) => {
    const request = waiting.get(data.id);
    if (data.kind === "progress") request?.watch(data.check, data.share);
    else {
      waiting.delete(data.id);
      request?.resolve(data);
    }
  };
  return thread;
}

function ask<K extends Request["kind"], A extends Answer["kind"]>(
  kind: K, content: Ask<K>, _answer: A, watch: (check: CheckName, share: number) => void = () => {},
): Promise<Extract<Answer, { kind: A }>> {
  const id = ++asked;
  return new Promise((resolve) => {
    waiting.set(id, { resolve: (answer) => resolve(answer as Extract<Answer, { kind: A }>), watch });
    worker().postMessage({ kind, id, ...content });
  });
}

/** Verify files (name → bytes) as the page does. Tests call it, and so may anybody in the browser's console. */
async function verifyFiles(
  files: Record<string, Uint8Array> | Files, auditor?: { secret: string; openings: Record<string, Uint8Array> } | null,
): Promise<Verified> {
  const given = auditor ? { secret: fromHex(auditor.secret.trim()), openings: new Map(Object.entries(auditor.openings)) } : null;
  return verifyRecord(files instanceof Map ? files : new Map(Object.entries(files)), given);
}

function verifyRecord(files: Files, auditor: AuditorFiles | null, watch?: (check: CheckName, share: number) => void): Promise<Verified> {
  return ask("verify", { files, auditor }, "verified", watch);
}

declare global {
  interface Window { dualrandomVerify: typeof verifyFiles }
}
window.dualrandomVerify = verifyFiles;

// ---- taking files ---------------------------------------------------------------------------------------------------

async function take(gather: () => Promise<Files | null>, failure: Said): Promise<void> {
  const before = state.phase;
  Object.assign(state, { phase: "reading", problem: null });
  render();
  const given = await gather().catch(() => null);
  const { record, auditor } = sorted(given ?? new Map());
  if (record !== null) state.files = record;
  if (auditor !== null) state.auditor = auditor;
  else if (record !== null) state.auditor = null;
  if ((record === null && auditor === null) || state.files.size === 0) {
    Object.assign(state, { phase: before === "done" ? "done" : "start", problem: failure });
    render();
    return;
  }
  await check();
}

async function check(): Promise<void> {
  Object.assign(state, { phase: "checking", verified: null, chosen: null });
  render();
  const bar = page.querySelector<HTMLElement>(".bar > div")!;
  const label = page.querySelector<HTMLElement>("#doing")!;
  const total = CHECKS.reduce((sum, name) => sum + (SHARES[name] ?? 0.2), 0);
  const start = performance.now();
  try {
    state.verified = await verifyRecord(state.files, state.auditor, (name, share) => {
      let done = 0;
      for (const other of CHECKS.slice(0, CHECKS.indexOf(name))) done += SHARES[other] ?? 0.2;
      const percent = Math.round((100 * (done + share * (SHARES[name] ?? 0.2))) / total);
      bar.style.width = `${percent}%`;
      bar.parentElement!.setAttribute("aria-valuenow", String(percent));
      label.textContent = `${t(WORDS.checking)} · ${t(CHECK_WORDS[name].title)}`;
    });
  } catch {
    Object.assign(state, { phase: "start", problem: WORDS.noWorker });
    render();
    return;
  }
  state.seconds = (performance.now() - start) / 1000;
  state.phase = "done";
  render();
  page.querySelector<HTMLElement>(".verdict h2")?.focus();
}

// ---- showing --------------------------------------------------------------------------------------------------------

function render(): void {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  const toggle = button(t(WORDS.other), "plain", () => {
    state.language = state.language === "zh" ? "en" : "zh";
    render();
  });
  toggle.lang = state.language === "zh" ? "en" : "zh-CN";
  const done = state.phase === "done" && state.verified !== null;
  page.replaceChildren(
    el("header", {}, el("div", {}, el("h1", {}, t(WORDS.title)), done ? null : el("p", { class: "lead" }, t(WORDS.lead))), toggle),
    el("main", {}, ...(state.phase === "start" ? start() : done ? report(state.verified!) : progress())),
    el("footer", {},
      el("h2", {}, t(WORDS.limits)), el("p", {}, t(WORDS.limitsText)),
      el("p", {}, t(WORDS.made), " ", t(WORDS.source), " ", el("span", { class: "mono" }, (page.dataset.sources ?? "").slice(0, 16))),
    ),
  );
}

function problem(): HTMLElement | null {
  return state.problem === null ? null : el("p", { class: "notice", role: "alert" }, t(state.problem));
}

function chooser(id: string, label: string, kind: string, folder: boolean): HTMLElement {
  const input = el("input", { type: "file", id, class: "hidden-input", multiple: "" });
  if (folder) input.setAttribute("webkitdirectory", "");
  input.addEventListener("change", () => {
    if (input.files?.length) void take(() => chosen(input.files!), WORDS.noRecord);
  });
  return el("span", {}, input, el("label", { for: id, class: `button ${kind}` }, label));
}

function start(): Content[] {
  const address = el("input", { type: "text", id: "address", value: location.protocol.startsWith("http") ? "./" : "", autocomplete: "off", spellcheck: "false" });
  const go = (): void => void take(() => fetched(address.value.trim()), WORDS.noFetch);
  address.addEventListener("keydown", (event) => event.key === "Enter" && go());
  const zone = el("section", { class: "drop" },
    icon("folder"), el("strong", {}, t(WORDS.drop)), el("p", { class: "soft" }, t(WORDS.dropHint)),
    el("div", { class: "row center" }, chooser("folder", t(WORDS.folder), "main", true), chooser("files", t(WORDS.files), "", false)),
    location.protocol.startsWith("http")
      ? el("div", { class: "address" }, el("div", {}, el("label", { for: "address" }, t(WORDS.address)), address), button(t(WORDS.fetch), "", go))
      : null,
    location.protocol.startsWith("http") ? el("p", { class: "soft small" }, t(WORDS.addressHint)) : null,
  );
  return [zone, problem(), el("p", { class: "soft small" }, t(WORDS.private))];
}

function progress(): Content[] {
  return [el("section", { class: "card progress", "aria-live": "polite" },
    el("div", { id: "doing" }, t(state.phase === "reading" ? WORDS.reading : WORDS.checking)),
    el("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, el("div")))];
}

const KIND: Record<Status, string> = { PASS: "pass", FAIL: "fail", "NOT CHECKED": "open" };

function report({ exit, outcomes, summary }: Verified): Content[] {
  const count = (status: Status): number => outcomes.filter((one) => one.status === status).length;
  const numbers = { pass: count("PASS"), open: count("NOT CHECKED"), fail: count("FAIL") };
  const [status, title, text] = exit === 0 ? ["PASS", WORDS.pass, WORDS.passText] as const
    : exit === 1 ? ["FAIL", WORDS.fail, WORDS.failText] as const : ["NOT CHECKED", WORDS.incomplete, WORDS.incompleteText] as const;
  // "Nothing is wrong" must look neither like a warning nor like "everything checks".
  const [kind, mark] = exit === 3 ? ["part", "PASS"] as const : [KIND[status], status] as const;
  const again = button(t(WORDS.again), "", () => {
    Object.assign(state, { phase: "start", files: new Map(), auditor: null, verified: null, problem: null });
    render();
  });
  return [
    el("section", { class: `verdict ${kind}`, role: "status" },
      el("div", { class: "mark" }, icon(mark)),
      el("div", {}, el("h2", { tabindex: "-1" }, t(title)), el("p", {}, t(text, numbers)),
        exit === 1 ? el("ul", {}, ...outcomes.filter((one) => one.status === "FAIL").map((one) =>
          el("li", {}, el("strong", {}, t(CHECK_WORDS[one.name].title)), state.language === "zh" ? "：" : ": ", t(one.reason)))) : null,
        el("p", { class: "soft small" }, t(WORDS.seconds, { n: state.seconds.toFixed(1) }), state.auditor ? ` · ${t(WORDS.auditor)}` : ""))),
    problem(),
    summary?.rehearsal ? el("p", { class: "notice open" }, t(WORDS.rehearsal)) : null,
    summary?.beacon.kind === "local" ? el("p", { class: "notice open" }, t(WORDS.local)) : null,
    summary ? facts(summary) : null,
    el("h2", {}, t(WORDS.checks)), checks(outcomes),
    ...(summary?.seed ? hand(summary) : []),
    el("p", { class: "row again" }, again),
  ];
}

function facts(summary: Summary): HTMLElement {
  const { authority, beacon, counts, digest, draw, end, frame, seed, start: first } = summary;
  const many = (n: number | null): string => (n === null ? "?" : n.toLocaleString("en-US"));
  const rows: [Said, Content][] = [
    [WORDS.authority, authority[state.language] || authority.zh],
    [WORDS.draw, el("span", { class: "mono" }, draw)],
    [WORDS.period, state.language === "zh" ? `${first} 至 ${end}` : `${first} to ${end}`],
  ];
  if (counts !== null)
    rows.push([WORDS.counts, t(WORDS.countsText, { frame: many(frame), firms: many(counts.firms), visits: many(counts.visits), crews: many(counts.crews) })]);
  rows.push([WORDS.beacon, `${beacon.kind === "drand" ? "drand quicknet" : beacon.kind} ${beacon.round} · ${beacon.time.replace("T", " ").replace("Z", " UTC")}`]);
  rows.push([WORDS.digest, el("span", { class: "mono" }, digest)]);
  if (seed !== null) rows.push([WORDS.seed, el("span", { class: "mono" }, seed)]);
  return el("dl", { class: "card facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, t(name)), el("dd", {}, value)]));
}

function badge(status: Status): HTMLElement {
  return el("span", { class: `badge ${KIND[status]}` }, icon(status), t(STATUS[status]));
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

// ---- one enterprise by hand -----------------------------------------------------------------------------------------

function command(text: string, output: string | null): HTMLElement {
  const code = el("code", {}, text);
  const copy = button(t(WORDS.copy), "plain", () => {
    // On plain http there is no clipboard; then the command is selected, ready to be copied.
    getSelection()?.selectAllChildren(code);
    void navigator.clipboard?.writeText(text).then(() => { copy.textContent = t(WORDS.copied); });
  });
  return el("div", { class: "command" }, code, output === null ? null : el("output", { class: "mono" }, output), copy);
}

function hand(summary: Summary): Content[] {
  const list = el("ul", { class: "matches" });
  const note = el("p", { class: "soft small", "aria-live": "polite" });
  const shown = el("div");
  const field = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const pick = async (id: string, receipt: string): Promise<void> => {
    state.chosen = id;
    const { explanation } = await ask("explain", { enterprise: id, receipt }, "explained");
    if (state.chosen !== id) return;
    for (const one of list.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.id === id));
    shown.replaceChildren(explained(explanation, id, (given) => void pick(id, given)));
  };
  const search = async (): Promise<void> => {
    const most = 40;
    const { count, matches } = await ask("search", { text: field.value, most }, "found");
    note.textContent = count === 0 ? t(WORDS.none) : t(WORDS.matches, { n: count.toLocaleString("en-US"), m: matches.length });
    list.replaceChildren(...matches.map(({ id, name }) => {
      const one = button("", "", () => void pick(id, ""));
      one.dataset.id = id;
      one.setAttribute("aria-pressed", String(id === state.chosen));
      one.append(el("span", {}, name === null ? "" : name[state.language] || name.zh), el("span", { class: "mono soft" }, id));
      return el("li", {}, one);
    }));
  };
  field.addEventListener("input", () => void search());
  void search().then(() => {
    if (state.chosen !== null) void pick(state.chosen, "");
  });
  const sum = summary.suite === "sm3" ? "openssl dgst -sm3" : "sha256sum";
  return [
    el("h2", {}, t(WORDS.hand)),
    el("section", { class: "card hand" },
      el("p", {}, t(WORDS.handLead)),
      summary.sealed && state.auditor === null ? el("p", { class: "soft" }, t(WORDS.receiptHint)) : null,
      el("label", { for: "search" }, t(WORDS.search)), field, note, list, shown,
      el("div", { class: "result" }, el("h4", {}, t(WORDS.seedSteps)), el("p", { class: "soft small" }, t(WORDS.seedStepsText)),
        command(`${sum} announcement.json`, summary.digest), command(`${sum} seed.txt`, summary.seed))),
  ];
}

function explained(explanation: Explanation | null, id: string, retry: (receipt: string) => void): HTMLElement {
  const box = el("div", { class: "result", id: "explained" });
  if (explanation === null) {
    box.append(el("h4", { class: "mono" }, id), el("p", { class: "notice", role: "alert" }, t(WORDS.receiptWrong)), receiptForm(retry));
    return box;
  }
  const { name, scope, seal, sealed, ticket, visits } = explanation;
  box.append(el("h4", {}, name === null ? "" : `${name[state.language] || name.zh} `, el("span", { class: "mono soft" }, id)));
  if (ticket !== null) box.append(command(explanation.command, ticket));
  if (seal !== null) box.append(el("p", { class: seal ? "yes" : "notice" }, t(seal ? WORDS.sealOk : WORDS.sealBad)));
  if (sealed && (ticket === null || seal !== null || scope.every((line) => line.rank === null)) && state.auditor === null) box.append(receiptForm(retry));
  if (scope.length > 0) {
    const head = [WORDS.scope, WORDS.rank, WORDS.cutoff, WORDS.outcome].map((said) => el("th", { scope: "col" }, t(said)));
    const rows = scope.map((line) => el("tr", {},
      el("td", {}, `${line.task[state.language]} `, el("span", { class: "soft" }, line.lead ? t(WORDS.follows, { lead: line.lead[state.language] }) : line.stratum)),
      el("td", {}, line.rank === null ? "—" : t(WORDS.rankText, { n: line.size!, k: line.rank, m: line.drawn! })),
      el("td", { class: "mono" }, line.cutoff === null ? "—" : `${line.cutoff.slice(0, 16)}…`),
      el("td", { class: line.selected ? "yes" : "no" }, t(line.selected ? WORDS.in : WORDS.out))));
    box.append(el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows))));
  }
  box.append(el("h4", {}, t(WORDS.visit)));
  if (visits.length === 0) box.append(el("p", { class: "soft" }, t(WORDS.visitNone)));
  for (const visit of visits) {
    const when = visit.known ? visit.date ?? t(WORDS.undated) : t(WORDS.embargoed);
    const names = (crew: (typeof visit.crews)[number]): string[] => crew.seats.map((seat) => seat[state.language]);
    const who = state.language === "zh"
      ? visit.crews.map((crew) => `${crew.department.zh}（${names(crew).join("、")}）`).join("；")
      : visit.crews.map((crew) => `${crew.department.en} (${names(crew).join(", ")})`).join("; ");
    box.append(el("p", {}, el("strong", {}, when), who === "" ? "" : state.language === "zh" ? `　${who}` : `: ${who}`));
  }
  return box;
}

function receiptForm(retry: (receipt: string) => void): HTMLElement {
  const field = el("input", { type: "text", id: "receipt", autocomplete: "off", spellcheck: "false" });
  field.addEventListener("keydown", (event) => event.key === "Enter" && retry(field.value));
  return el("div", {}, el("label", { for: "receipt" }, t(WORDS.receipt)),
    el("div", { class: "row" }, el("div", { class: "grow" }, field), button(t(WORDS.compute), "", () => retry(field.value))));
}

// ---- start ----------------------------------------------------------------------------------------------------------

for (const kind of ["dragenter", "dragover", "dragleave", "drop"] as const)
  addEventListener(kind, (event) => {
    event.preventDefault();
    page.querySelector(".drop")?.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    const { dataTransfer } = event as DragEvent;
    if (kind === "drop" && dataTransfer !== null && state.phase !== "checking" && state.phase !== "reading")
      void take(() => dropped(dataTransfer), WORDS.noRecord);
  });
render();
// Served beside a record, the page checks it at once.
if (location.protocol.startsWith("http"))
  void fetch("./announcement.json", { method: "HEAD" }).then((answer) => {
    if (answer.ok && state.phase === "start") void take(() => fetched("./"), WORDS.noFetch);
  }).catch(() => {});
