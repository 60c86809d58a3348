/** Exact arithmetic with ratios p/q (docs/protocol.md §1, 6). */

export class Fraction {
  constructor(readonly p: bigint, readonly q: bigint = 1n) {}

  static of(text: string): Fraction {
    const [p, q] = text.split("/") as [string, string];
    return new Fraction(BigInt(p), BigInt(q));
  }

  plus(other: Fraction): Fraction {
    return reduced(this.p * other.q + other.p * this.q, this.q * other.q);
  }

  times(other: Fraction): Fraction {
    return reduced(this.p * other.p, this.q * other.q);
  }

  minus(other: Fraction): Fraction {
    return reduced(this.p * other.q - other.p * this.q, this.q * other.q);
  }

  /** Negative, zero or positive, as this is less than, equal to or greater than the other. */
  compare(other: Fraction): number {
    const difference = this.p * other.q - other.p * this.q;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** Rounded down; for non-negative values. */
  floor(): bigint {
    return this.p / this.q;
  }

  /** Six decimals, rounded half to even. */
  sixDecimals(): string {
    const scaled = this.p * 1_000_000n;
    let whole = scaled / this.q;
    const twice = 2n * (scaled % this.q);
    if (twice > this.q || (twice === this.q && whole % 2n === 1n)) whole++;
    const digits = String(whole).padStart(7, "0");
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
  }

  toString(): string {
    return `${this.p}/${this.q}`;
  }
}

export const ZERO = new Fraction(0n);

function reduced(p: bigint, q: bigint): Fraction {
  let [a, b] = [p < 0n ? -p : p, q];
  while (b !== 0n) [a, b] = [b, a % b];
  return new Fraction(p / a, q / a);
}
