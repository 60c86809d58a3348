/** One enterprise by hand: found by name or id, computed, and compared with its receipt. */

import { type Content, button, chooser, command, el, spoken, t } from "./dom";
import type { Explanation, ScopeLine, Summary } from "./explain";
import type { Threads } from "./threads";
import { WORDS } from "./words";

export interface Hand {
  threads: Threads; summary: Summary;
  /** Are rows known that are hidden from the public? */
  auditor: boolean;
  /** The enterprise that was looked at last, and whose receipt was given. */
  chosen: { id: string | null };
  takeReceipt: (files: FileList) => void;
}

export function byHand({ auditor, chosen, summary, takeReceipt, threads }: Hand): Content[] {
  const list = el("ul", { class: "matches" });
  const note = el("p", { class: "soft small count", "aria-live": "polite" });
  const shown = el("div");
  const field = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const hidden = summary.sealed && !auditor;
  const pick = async (id: string, salt: string): Promise<void> => {
    chosen.id = id;
    const { explanation } = await threads.first.ask("explain", { enterprise: id, salt }, "explained");
    if (chosen.id !== id || explanation === null) return;
    for (const one of list.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.id === id));
    shown.replaceChildren(explained(explanation, hidden, (given) => void pick(id, given), takeReceipt));
  };
  const search = async (): Promise<void> => {
    const { count, matches } = await threads.first.ask("search", { text: field.value, most: 40 }, "found");
    note.textContent = count === 0 ? t(WORDS.none) : count > matches.length ? t(WORDS.matches, { n: count.toLocaleString("en-US"), m: matches.length }) : t(WORDS.matchesAll, { n: count });
    list.replaceChildren(...matches.map(({ id, name }) => {
      const one = button("", "", () => void pick(id, ""));
      one.dataset.id = id;
      one.setAttribute("aria-pressed", String(id === chosen.id));
      if (name !== null) one.append(el("span", {}, name[spoken()] || name.zh));
      one.append(el("span", { class: "mono soft" }, id));
      return el("li", {}, one);
    }));
  };
  field.addEventListener("input", () => void search());
  void search().then(() => {
    if (chosen.id !== null) void pick(chosen.id, "");
  });
  const sum = summary.suite === "sm3" ? "openssl dgst -sm3" : "sha256sum";
  return [
    el("h2", { id: "hand" }, t(WORDS.hand)),
    el("section", { class: "card hand" },
      el("p", {}, t(WORDS.handLead)), hidden ? el("p", { class: "soft" }, t(WORDS.receiptHint)) : null,
      el("label", { for: "search" }, t(WORDS.search)), field, note, list, shown,
      el("div", { class: "result" }, el("h3", {}, t(WORDS.seedSteps)), el("p", { class: "soft small" }, t(WORDS.seedStepsText)),
        command(`${sum} announcement.json`, summary.digest), command(`${sum} seed.txt`, summary.seed))),
  ];
}

function rankText({ drawn, place, rank, size }: ScopeLine): string {
  if (rank !== null) return t(WORDS.rankText, { n: size!, k: rank, m: drawn! });
  if (place === null) return "—";
  if (drawn === 0) return t(WORDS.noneDrawn, { n: size! });
  return place > 0 ? t(WORDS.placeText, { m: drawn!, k: place }) : t(WORDS.placeOut, { m: drawn! });
}

function explained(
  { changes, command: line, id, name, scope, sealed, ticket, visits }: Explanation, hidden: boolean, retry: (salt: string) => void, takeReceipt: (files: FileList) => void,
): HTMLElement {
  const box = el("div", { class: "result", id: "explained" });
  box.append(el("h3", {}, name === null ? "" : `${name[spoken()] || name.zh} `, el("span", { class: "mono soft" }, id)));
  if (ticket !== null) box.append(command(line, ticket));
  const proven = scope.some((one) => one.rank !== null || one.place !== null);
  if (hidden && sealed && !proven) box.append(receiptForm(retry, takeReceipt));
  if (scope.length > 0) {
    const head = [WORDS.scope, WORDS.rank, WORDS.cutoff, WORDS.outcome].map((said) => el("th", { scope: "col" }, t(said)));
    const rows = scope.map((one) => el("tr", {},
      el("td", {}, one.task[spoken()], " ", el("span", { class: "soft" }, one.lead ? t(WORDS.follows, { lead: one.lead[spoken()] }) : one.stratum === "" ? "" : t(WORDS.stratum, { id: one.stratum }))),
      el("td", {}, rankText(one)),
      el("td", { class: "mono" }, one.cutoff === null ? "—" : `${one.cutoff.slice(0, 16)}…`),
      el("td", { class: one.selected ? "yes" : "no" }, t(one.selected ? WORDS.in : WORDS.out))));
    box.append(el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows))));
  }
  box.append(el("h3", {}, t(WORDS.visit)));
  if (changes.length > 0) box.append(el("ul", { class: "changes" }, ...changes.map((change) => el("li", {}, t(change)))));
  if (visits.length === 0) box.append(el("p", { class: "soft" }, t(WORDS.visitNone)));
  for (const visit of visits) {
    const when = visit.known ? visit.date ?? t(WORDS.undated) : t(WORDS.embargoed);
    const crews = visit.crews.map(({ department, seats, unfilled }) => {
      const names = unfilled ? [t(WORDS.unfilled)] : seats.map((seat) => seat[spoken()]);
      return spoken() === "zh" ? `${department.zh}（${names.join("、")}）` : `${department.en} (${names.join(", ")})`;
    });
    box.append(el("p", {}, el("strong", {}, when), crews.length === 0 ? "" : spoken() === "zh" ? `　${crews.join("；")}` : `: ${crews.join("; ")}`));
  }
  return box;
}

function receiptForm(retry: (salt: string) => void, takeReceipt: (files: FileList) => void): HTMLElement {
  const field = el("input", { type: "text", id: "receipt", autocomplete: "off", spellcheck: "false" });
  const wrong = el("p", { class: "notice", role: "alert", hidden: "" }, t(WORDS.saltWrong));
  const go = (): void => {
    const salt = field.value.trim();
    wrong.hidden = /^[0-9a-f]{64}$/.test(salt);
    if (wrong.hidden) retry(salt);
  };
  field.addEventListener("keydown", (event) => event.key === "Enter" && go());
  return el("div", { class: "receipt" },
    el("div", { class: "row" }, chooser("receipt-file", t(WORDS.receiptFile), "", false, takeReceipt), el("span", { class: "soft small" }, t(WORDS.receiptOr))),
    el("div", { class: "row" }, el("div", { class: "grow" }, el("label", { for: "receipt", class: "small" }, t(WORDS.receiptSalt)), field), button(t(WORDS.compute), "", go)), wrong);
}
