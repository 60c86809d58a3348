/** Shapes of values: a shape returns null, or what it refuses and why. */

import { type Said, say } from "./outcome";

/** The place of what is refused, such as ".days[3]", and what is wrong with it, in words that follow the place. */
export interface Refused { at: string; why: Said }
export type Shape = (value: unknown) => Refused | null;

/** A short picture of a value, for a reason. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? `'${value}'` : JSON.stringify(value) ?? "undefined";
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function inside(step: string, { at, why }: Refused): Refused {
  return { at: step + at, why };
}

function refuse(zh: string, en: string): Refused {
  return { at: "", why: say(zh, en) };
}

/** Accept what a predicate accepts: that is `due`. */
export function where(test: (value: unknown) => boolean, due: Said): Shape {
  return (value) => (test(value) ? null : refuse(`应为${due.zh}，实为 ${shown(value)}`, `should be ${due.en}, is ${shown(value)}`));
}

export function text(pattern: RegExp, due: Said): Shape {
  return where((value) => typeof value === "string" && pattern.test(value), due);
}

export function one(...values: (string | number | boolean | null)[]): Shape {
  const due = values[0] === null ? say(" null", "null") : values[0] === true ? say(" true 或 false", "a boolean") :
    say(` ${values.join(", ")} 之一`, `one of ${values.join(", ")}`);
  return where((value) => values.includes(value as string), due);
}

export function whole(least = 0): Shape {
  return where((value) => Number.isSafeInteger(value) && (value as number) >= least, say(`不小于 ${least} 的整数`, `an integer of at least ${least}`));
}

const OBJECT = where((value) => typeof value === "object" && value !== null && !Array.isArray(value), say("对象", "an object"));
const ARRAY = where(Array.isArray, say("数组", "an array"));

export function maybe(shape: Shape): Shape {
  return (value) => (value === null ? null : shape(value));
}

/** An object with exactly these keys. */
export function record(fields: Record<string, Shape>): Shape {
  const names = Object.keys(fields);
  return (value) => {
    const no = OBJECT(value);
    if (no !== null) return no;
    const object = value as Record<string, unknown>;
    const keys = Object.keys(object);
    for (const name of names) {
      if (!Object.hasOwn(object, name)) return refuse(`缺少键 ${name}`, `lacks the key ${name}`);
      const refused = fields[name]!(object[name]);
      if (refused !== null) return inside(`.${name}`, refused);
    }
    if (keys.length === names.length) return null;
    const unknown = shown(keys.find((key) => !Object.hasOwn(fields, key)));
    return refuse(`多出键 ${unknown}`, `has the unknown key ${unknown}`);
  };
}

/** An object whose keys and values have these shapes; no two keys differ only in letter case. */
export function table(key: Shape, shape: Shape): Shape {
  return (value) => {
    const no = OBJECT(value);
    if (no !== null) return no;
    const names = Object.keys(value as object);
    if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) return refuse("有仅大小写不同的键", "has keys that differ only in letter case");
    for (const [name, item] of Object.entries(value as object)) {
      const strange = key(name);
      if (strange !== null) return refuse(`的键${strange.why.zh}`, `has a key that ${strange.why.en}`);
      const refused = shape(item);
      if (refused !== null) return inside(`.${name}`, refused);
    }
    return null;
  };
}

/** An array in any order. */
export function list(shape: Shape, least = 0): Shape {
  return (value) => {
    const no = ARRAY(value);
    if (no !== null) return no;
    const array = value as unknown[];
    if (array.length < least) return refuse("为空", "is empty");
    for (let at = 0; at < array.length; at++) {
      const refused = shape(array[at]);
      if (refused !== null) return inside(`[${at}]`, refused);
    }
    return null;
  };
}

/** An array, strictly ascending by these keys; without keys, by the values themselves. */
export function ascending(shape: Shape, keys: string[] = [], least = 0): Shape {
  const items = list(shape, least);
  return (value) => {
    const refused = items(value);
    if (refused !== null) return refused;
    const array = value as never[];
    for (let at = 1; at < array.length; at++) {
      if (precedes(array[at - 1]!, array[at]!, keys)) continue;
      const [one, next] = [array[at - 1]!, array[at]!].map((item) => keys.length === 0 ? shown(item) : keys.map((key) => shown(item[key])).join(" "));
      return refuse(`未按升序排列或有重复：${one} 之后是 ${next}`, `is not ascending and distinct: ${one} before ${next}`);
    }
    return null;
  };
}

function precedes(a: Record<string, string>, b: Record<string, string>, keys: string[]): boolean {
  if (keys.length === 0) return a < b;
  for (const key of keys) if (a[key] !== b[key]) return a[key]! < b[key]!;
  return false;
}

/** All of these. */
export function both(...shapes: Shape[]): Shape {
  return (value) => {
    for (const shape of shapes) {
      const refused = shape(value);
      if (refused !== null) return refused;
    }
    return null;
  };
}
