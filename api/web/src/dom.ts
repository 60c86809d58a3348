/** Small helpers for what is shown. All text goes in as text. */

import type { Said, Status } from "./verify/outcome";
import { type Language, STATUS, WORDS } from "./words";

export type Content = Node | string | null;

let language: Language =
  navigator.languages.some((one) => one.toLowerCase().startsWith("zh")) || !navigator.languages.length ? "zh" : "en";

export function spoken(): Language {
  return language;
}

export function speak(other: Language): void {
  language = other;
}

/** A text in the reader's language, its {places} filled. */
export function t(said: Said, values: Record<string, string | number> = {}): string {
  return said[language].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {}, ...content: Content[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content.filter((one) => one !== null));
  return element;
}

const PATHS = {
  PASS: "M4 12.5l5 5L20 6.5", FAIL: "M6 6l12 12M18 6L6 18", "NOT CHECKED": "M5 12h14",
  folder: "M3 7.5A1.5 1.5 0 0 1 4.5 6h4.6l2 2.4h8.4A1.5 1.5 0 0 1 21 9.9v7.6a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5zM12 16v-4.4m0 0l-2 2m2-2l2 2",
};

export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const stroke = { d: PATHS[name], stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round", "stroke-width": name === "folder" ? "1.5" : "2.6" };
  for (const [key, value] of Object.entries(stroke)) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

export function button(label: string, kind: string, act: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: kind }, label);
  made.addEventListener("click", act);
  return made;
}

/** A button that opens a file dialogue. */
export function chooser(id: string, label: string, kind: string, folder: boolean, take: (files: FileList) => void): HTMLElement {
  const input = el("input", { type: "file", id, class: "hidden-input", multiple: "" });
  if (folder) input.setAttribute("webkitdirectory", "");
  input.addEventListener("change", () => {
    if (input.files !== null) take(input.files);
  });
  return el("span", {}, input, el("label", { for: id, class: `button ${kind}` }, label));
}

export const KIND: Record<Status, string> = { PASS: "pass", FAIL: "fail", "NOT CHECKED": "open" };

export function badge(status: Status): HTMLElement {
  return el("span", { class: `badge ${KIND[status]}` }, icon(status), t(STATUS[status]));
}

/** A command to be copied, and what it prints. */
export function command(text: string, output: string | null): HTMLElement {
  const code = el("code", {}, text);
  const copy = button(t(WORDS.copy), "plain", () => {
    // On plain http there is no clipboard; then the command is selected, ready to be copied.
    getSelection()?.selectAllChildren(code);
    void navigator.clipboard?.writeText(text).then(() => { copy.textContent = t(WORDS.copied); });
  });
  return el("div", { class: "command" }, code, output === null ? null : el("output", { class: "mono" }, output), copy);
}
