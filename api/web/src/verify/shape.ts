/** Shapes of values: a shape returns null, or the place of what it refuses, such as ".days[3]". */

export type Shape = (value: unknown) => string | null;

const NO = "";

/** Accept what a predicate accepts. */
export function where(test: (value: unknown) => boolean): Shape {
  return (value) => (test(value) ? null : NO);
}

export function text(pattern: RegExp): Shape {
  return where((value) => typeof value === "string" && pattern.test(value));
}

export function one(...values: (string | number | boolean | null)[]): Shape {
  return where((value) => values.includes(value as string));
}

export function whole(least = 0): Shape {
  return where((value) => Number.isSafeInteger(value) && (value as number) >= least);
}

export function maybe(shape: Shape): Shape {
  return (value) => (value === null ? null : shape(value));
}

/** An object with exactly these keys. */
export function record(fields: Record<string, Shape>): Shape {
  const names = Object.keys(fields);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return NO;
    const object = value as Record<string, unknown>;
    const keys = Object.keys(object);
    for (const name of names) {
      if (!Object.hasOwn(object, name)) return `.${name}`;
      const refused = fields[name]!(object[name]);
      if (refused !== null) return `.${name}${refused}`;
    }
    if (keys.length === names.length) return null;
    return `.${keys.find((key) => !Object.hasOwn(fields, key))}`;
  };
}

/** An object whose keys and values have these shapes; no two keys differ only in letter case. */
export function table(key: Shape, shape: Shape): Shape {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return NO;
    const names = Object.keys(value);
    if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) return NO;
    for (const [name, item] of Object.entries(value)) {
      const refused = key(name) ?? shape(item);
      if (refused !== null) return `.${name}${refused}`;
    }
    return null;
  };
}

/** An array in any order. */
export function list(shape: Shape, least = 0): Shape {
  return (value) => {
    if (!Array.isArray(value) || value.length < least) return NO;
    for (let at = 0; at < value.length; at++) {
      const refused = shape(value[at]);
      if (refused !== null) return `[${at}]${refused}`;
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
    for (let at = 1; at < array.length; at++) if (!precedes(array[at - 1]!, array[at]!, keys)) return `[${at}]`;
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
