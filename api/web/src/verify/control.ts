/** Sizes of samples with two-way control (docs/protocol.md §6.2): rows and columns both keep their sums. */

import type { Stratum } from "./documents";
import { Fraction, ZERO } from "./fraction";

const ONE = new Fraction(1n);
const WHOLE = 1n << 256n;

/** Is this value strictly between 0 and 1? */
function open(f: Fraction): boolean {
  return f.p !== 0n && f.p !== f.q;
}

/** x mod 1 = x − floor(x), also for negative x. */
function modOne(x: Fraction): Fraction {
  return new Fraction(((x.p % x.q) + x.q) % x.q, x.q);
}

function least(values: Fraction[]): Fraction {
  return values.reduce((a, b) => (a.compare(b) <= 0 ? a : b));
}

interface Cell { row: number; column: number }

/** The cycle of cells that are not whole, in the order of the walk; null when all cells are whole. */
function cycle(f: Fraction[][]): Cell[] | null {
  let at = f.findIndex((row) => row.some(open));
  if (at === -1) return null;
  const nodes = [`row ${at}`];
  const cells: Cell[] = [];
  for (let came = -1, inRow = true; ; inRow = !inRow) {
    const here = at;
    const next = inRow
      ? f[here]!.findIndex((value, column) => column !== came && open(value))
      : f.findIndex((row, index) => index !== came && open(row[here]!));
    cells.push(inRow ? { row: here, column: next } : { row: next, column: here });
    const node = `${inRow ? "column" : "row"} ${next}`;
    if (nodes.includes(node)) return cells.slice(nodes.indexOf(node));
    nodes.push(node);
    [came, at] = [here, next];
  }
}

/** n_h of every stratum; `draw(k)` is ticket("control", task:k). */
export function twoWay(strata: Stratum[], draw: (k: number) => string): Map<string, number> {
  const column = ({ group, id }: Stratum): string => id.slice(group.length + 1);
  const rows = [...new Set(strata.map((stratum) => stratum.group))].sort();
  const columns = [...new Set(strata.map(column))].sort();
  const f = rows.map(() => columns.map(() => ZERO));
  for (const stratum of strata)
    f[rows.indexOf(stratum.group)]![columns.indexOf(column(stratum))] = modOne(Fraction.of(stratum.expected));
  const sum = (values: Fraction[]): Fraction => values.reduce((total, value) => total.plus(value), ZERO);
  const corner = modOne(sum(f.flat()));
  const slackRow = columns.map((_, c) => modOne(ZERO.minus(sum(f.map((row) => row[c]!)))));
  for (const row of f) row.push(modOne(ZERO.minus(sum(row))));
  f.push([...slackRow, corner]);
  for (let k = 0; ; k++) {
    const cells = cycle(f);
    if (cells === null) break;
    const odd = cells.filter((_, index) => index % 2 === 0);
    const even = cells.filter((_, index) => index % 2 === 1);
    const value = ({ row, column: c }: Cell): Fraction => f[row]![c]!;
    const rest = (cell: Cell): Fraction => ONE.minus(value(cell));
    const up = least([...odd.map(rest), ...even.map(value)]);
    const down = least([...odd.map(value), ...even.map(rest)]);
    const drawn = new Fraction(BigInt(`0x${draw(k)}`));
    const rises = drawn.times(up.plus(down)).compare(down.times(new Fraction(WHOLE))) < 0;
    for (const cell of odd) f[cell.row]![cell.column] = rises ? value(cell).plus(up) : value(cell).minus(down);
    for (const cell of even) f[cell.row]![cell.column] = rises ? value(cell).minus(up) : value(cell).plus(down);
  }
  return new Map(strata.map((stratum) => {
    const e = Fraction.of(stratum.expected);
    const part = f[rows.indexOf(stratum.group)]![columns.indexOf(column(stratum))]!;
    return [stratum.id, Number(e.floor()) + (part.p === 0n ? 0 : 1)];
  }));
}
