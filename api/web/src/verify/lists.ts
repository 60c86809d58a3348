/** Lists as columns (docs/protocol.md §2): a frame has hundreds of thousands of rows, and an object for each would be slow. */

import type { Hasher } from "./hash";

/** Ids in ascending order, and the place of each. */
class Ids {
  readonly ids: string[] = [];
  private last = -1;

  get size(): number {
    return this.ids.length;
  }

  /** The place of an id, -1 if there is none. Those asked for often follow each other. */
  place(id: string): number {
    const { ids } = this;
    if (ids[this.last + 1] === id) return ++this.last;
    const at = this.before(id);
    return ids[at] === id ? (this.last = at) : -1;
  }

  has(id: string): boolean {
    return this.place(id) !== -1;
  }

  /** How many ids come before this one. */
  protected before(id: string): number {
    let [low, high] = [0, this.ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where the rows of a list begin, and its end. */
function lineStarts(data: Uint8Array): number[] {
  const starts = [0];
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) starts.push(at + 1);
  return starts;
}

/** A list's rows in the order of their ids. */
export class List extends Ids {
  readonly details: unknown[] = [];
  readonly seals: (string | undefined)[] = [];

  constructor(private readonly data: Uint8Array) {
    super();
  }

  add(id: string, detail: unknown, seal: string | undefined): void {
    this.ids.push(id);
    this.details.push(detail);
    this.seals.push(seal);
  }

  root(hasher: Hasher): string {
    return hasher.root(this.data, lineStarts(this.data));
  }
}

/** What rows of one list hide: the value, its bytes as they were sealed, and the salt. */
export class Openings extends Ids {
  readonly hidden: unknown[] = [];
  readonly texts: string[] = [];
  readonly salts: string[] = [];

  /** Add an opening; false if the row was opened before, in another way. */
  add(id: string, hidden: unknown, text: string, salt: string): boolean {
    const last = this.ids.at(-1);
    const at = last === undefined || last < id ? this.ids.length : this.before(id);
    if (this.ids[at] === id) return this.texts[at] === text && this.salts[at] === salt;
    // Nearly always this appends.
    this.ids.splice(at, 0, id);
    this.hidden.splice(at, 0, hidden);
    this.texts.splice(at, 0, text);
    this.salts.splice(at, 0, salt);
    return true;
  }

  get(id: string): unknown {
    return this.hidden[this.place(id)];
  }

  /** Does this open exactly the rows of a list? */
  isOf(list: List): boolean {
    return this.size === list.size && list.ids.every((id, at) => this.ids[at] === id);
  }
}

/** What is known of an enterprise; many share one such object. */
export interface Place { closed: string[]; district: string; strata: Record<string, string> }

/** The enterprises of a frame whose content is known: columns of equal length. */
export class Firms {
  constructor(private readonly list: List, readonly places: readonly Place[], readonly keys: readonly string[]) {}

  get ids(): readonly string[] {
    return this.list.ids;
  }

  get size(): number {
    return this.list.size;
  }

  get(id: string): Place | undefined {
    return this.places[this.list.place(id)];
  }

  key(id: string): string | undefined {
    return this.keys[this.list.place(id)];
  }
}

/** How often each value occurs. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const found = new Map<T, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}
