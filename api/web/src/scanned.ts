/** A receipt from the texts of its scanned QR codes, as `dualrandom receipt --qr` writes them (src/dualrandom/scan.py). */

import { fromHex, Hasher } from "./verify/hash";
import { say, type Said } from "./verify/outcome";

const MARK = "DUALRANDOM:1:";
const CODE = /DUALRANDOM:1:([0-9]{1,3})\/([0-9]{1,3}):([0-9A-F]{8}):([0-9]{1,2500})/g;
/** What scanned texts may unfold to. */
const LARGEST = 1 << 20;

/** What is wrong with scanned texts. */
export class ScanFault extends Error {
  constructor(zh: string, en: string) {
    super(en);
    this.said = say(zh, en);
  }
  readonly said: Said;
}

/** The codes of one receipt: its tag, how many there are, and the digits of those at hand. */
interface Codes { tag: string; count: number; digits: Map<number, string> }

export function isScanned(text: string): boolean {
  return text.includes(MARK);
}

/** Sort codes by receipt. Throws ScanFault where the same code has two texts. */
function codesIn(text: string): Codes[] {
  const found = new Map<string, Codes>();
  for (const [, number, count, tag, digits] of text.matchAll(CODE) as Iterable<string[]>) {
    const key = `${tag} ${Number(count)}`;
    const codes = found.get(key) ?? { tag: tag!, count: Number(count), digits: new Map<number, string>() };
    found.set(key, codes);
    const place = Number(number);
    if (place < 1 || place > codes.count) continue;
    if ((codes.digits.get(place) ?? digits) !== digits)
      throw new ScanFault(`第 ${place} 个二维码有两份不同的文本，请只留重新扫描的那份`, `code ${place} is there with two different texts: scan it again and keep that one only`);
    codes.digits.set(place, digits!);
  }
  return [...found.values()];
}

function missing({ count, digits }: Codes): number[] {
  return Array.from({ length: count }, (_, at) => at + 1).filter((number) => !digits.has(number));
}

/** How far somebody has come who scans one code after the other; null before the first. */
export function scanned(text: string): Said | null {
  try {
    const all = codesIn(text);
    if (all.length !== 1) return all.length === 0 ? null : foreign(all).said;
    const { count, digits } = all[0]!;
    const left = missing(all[0]!).join(", ");
    return left === "" ? say(`${count} 个二维码已齐`, `all ${count} codes are there`) : say(`已有 ${digits.size} 个，共 ${count} 个；还缺第 ${left} 个`, `${digits.size} of ${count}; still missing: ${left}`);
  } catch (error) {
    if (error instanceof ScanFault) return error.said;
    throw error;
  }
}

function foreign(all: Codes[]): ScanFault {
  const list = (comma: string, and: (codes: Codes, numbers: string) => string): string => all.map((codes) => and(codes, [...codes.digits.keys()].sort((a, b) => a - b).join(comma))).join(comma);
  return new ScanFault(
    `这里有不止一份回执的二维码：${list("、", ({ tag }, numbers) => `${tag}（第 ${numbers} 个）`)}。请只留一份的`,
    `these are codes of more than one receipt: ${list(", ", ({ tag }, numbers) => `${tag} (${numbers})`)}. Keep those of one`,
  );
}

/** The receipt's bytes, from all its codes in any order, whatever stands between them. Throws ScanFault. */
export async function assembled(text: string): Promise<Uint8Array> {
  const all = codesIn(text);
  if (all.length === 0) throw new ScanFault("其中没有完整的回执二维码文本（以 DUALRANDOM 开头）", "there is no whole text of a receipt's code in it (they begin with DUALRANDOM)");
  if (all.length > 1) throw foreign(all);
  const [codes] = all as [Codes];
  const left = missing(codes).join(", ");
  if (left !== "") throw new ScanFault(`缺少第 ${left} 个二维码，共 ${codes.count} 个`, `code ${left} of ${codes.count} is missing`);
  const damaged = new ScanFault("二维码的文本有损坏，请重新扫描", "the text of a code is damaged: scan the codes again");
  const parts = Array.from({ length: codes.count }, (_, at) => {
    // One decimal number: the bytes of the part behind a byte 1.
    const hex = BigInt(codes.digits.get(at + 1)!).toString(16);
    if (hex.length % 2 === 0 || !hex.startsWith("1")) throw damaged;
    return fromHex(hex.slice(1));
  });
  const data = await unfolded(parts).catch(() => null);
  if (data === null || new Hasher("sha256").digest(data).slice(0, 8).toUpperCase() !== codes.tag) throw damaged;
  return data;
}

/** What raw deflate unfolds to. */
async function unfolded(parts: Uint8Array[]): Promise<Uint8Array> {
  const reader = new Blob(parts as BlobPart[]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const found: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(found as BlobPart[]).arrayBuffer());
    found.push(value);
    length += value.length;
    if (length > LARGEST) throw new RangeError("larger than any receipt");
  }
}

// ---- pictures of codes ----------------------------------------------------------------------------------------------

interface Detector { detect(image: ImageBitmap): Promise<{ rawValue: string }[]> }
type MakeDetector = new (options: { formats: string[] }) => Detector;

function detector(): MakeDetector | undefined {
  return (globalThis as { BarcodeDetector?: MakeDetector }).BarcodeDetector;
}

/** Can this browser read codes in pictures? Many cannot. */
export function readsPictures(): boolean {
  return detector() !== undefined;
}

/** The texts of all codes in some pictures, a line each; names a picture in which no code was seen. Throws ScanFault. */
export async function textsIn(pictures: Map<string, Uint8Array>): Promise<string> {
  const Made = detector();
  if (Made === undefined)
    throw new ScanFault("本浏览器读不了图片中的二维码：请用手机扫描，再把文本粘贴到回执一栏", "this browser cannot read codes in pictures: scan them with a phone and paste their texts as a receipt");
  const reader = new Made({ formats: ["qr_code"] });
  const texts: string[] = [];
  for (const [name, data] of pictures) {
    const image = await createImageBitmap(new Blob([data as BlobPart])).catch(() => null);
    const seen = image === null ? [] : (await reader.detect(image)).map((code) => code.rawValue).filter(isScanned);
    image?.close();
    if (seen.length === 0) throw new ScanFault(`图片 ${name} 中没有看到回执的二维码`, `no code of a receipt was seen in the picture ${name}`);
    texts.push(...seen);
  }
  return texts.join("\n");
}
