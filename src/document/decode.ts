import { guessEncodings } from "./encoding.ts";

export type Decoded = { readonly text: string } | { readonly reason: string };

/** Where bytes are read in the wrong encoding, such characters come of it. */
const implausible = /[\u0080-\u0084\u0086-\u009f\ufffd\ufffe\uffff]|\p{Co}|\p{Cn}/u;

const sampleBytes = 64 * 1024;
const binary = { reason: "is binary, not text" };

/**
 * The text of a file, or why it is none. A byte-order mark decides, then UTF-8, which nothing else passes for; then the
 * encoding that the file `declared`, then what its bytes look like. Only decoders of the JavaScript standard are asked,
 * so every machine answers alike.
 */
export function decodeText(bytes: Uint8Array, declared?: string): Decoded {
  const text = decodeMarked(bytes) ?? decodeWide(bytes) ?? decodeUtf8(bytes) ?? decodeByteEncodings(bytes, declared);
  if (text === undefined) return bytes.includes(0) || controlShare(latin1(bytes)) > 0.01 ? binary : { reason: "is in an encoding that is not known; save it as UTF-8" };
  if (controlShare(text) > 0.01 || text.includes("\0")) return binary;
  return text.trim() === "" ? { reason: "is empty" } : { text };
}

function decodeMarked(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return decodeUtf32(bytes.subarray(4), true);
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return decodeUtf32(bytes.subarray(4), false);
  if (a === 0xff && b === 0xfe) return decodeAs("utf-16le", bytes);
  if (a === 0xfe && b === 0xff) return decodeAs("utf-16be", bytes);
  return undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = decodeAs("utf-8", bytes);
  if (text === undefined) return mostlyUtf8(bytes);
  // This one is written in ASCII alone, shifted by escapes.
  return text.includes("\u001b$") || text.includes("\u001b(") ? (decodeAs("iso-2022-jp", bytes) ?? text) : text;
}

/** One torn character in a long text is no reason to take it all for something else. */
function mostlyUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  const text = new TextDecoder("utf-8").decode(bytes);
  const broken = text.match(/\ufffd/g)?.length ?? 0;
  const whole = text.match(/[^\0-\u007f\ufffd]/g)?.length ?? 0;
  return whole >= broken * 20 ? text : undefined;
}

/** UTF-16 without its mark. Both orders are tried, as the wrong one often gives letters too, only not spaces and line ends. */
function decodeWide(bytes: Uint8Array): string | undefined {
  if (bytes.length % 2 !== 0 || !bytes.includes(0)) return undefined;
  const candidates = ["utf-16le", "utf-16be"].map((name) => decodeAs(name, bytes)).filter((text) => text !== undefined && !implausible.test(text) && !text.includes("\0"));
  const [best] = candidates.map((text) => ({ text, share: commonShare(text ?? "") })).sort((left, right) => right.share - left.share);
  return best !== undefined && best.share > 0.02 ? best.text : undefined;
}

function commonShare(text: string): number {
  return (text.slice(0, sampleBytes).match(/[\n\r A-Za-z0-9\u3000-\u3002]/g)?.length ?? 0) / Math.min(text.length, sampleBytes);
}

function decodeByteEncodings(bytes: Uint8Array, declared: string | undefined): string | undefined {
  if (bytes.includes(0)) return undefined;
  const found = declared === undefined ? undefined : decodeAs(declared, bytes);
  if (found !== undefined) return found;
  const sample = bytes.subarray(0, sampleBytes);
  if (controlShare(latin1(sample)) > 0.01) return undefined;
  for (const name of guessEncodings(sample)) {
    const text = decodeAs(name, bytes);
    if (text !== undefined && !implausible.test(text)) return text;
  }
  return undefined;
}

function decodeAs(name: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(name, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeUtf32(bytes: Uint8Array, isLittleEndian: boolean): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const characters: string[] = [];
  for (let i = 0; i < bytes.length; i += 4) {
    const point = view.getUint32(i, isLittleEndian);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    characters.push(String.fromCodePoint(point));
  }
  return characters.join("");
}

/** How much of its beginning are control characters that text does not hold; a form feed, an escape and the end mark of DOS it may. */
function controlShare(text: string): number {
  const length = Math.min(text.length, sampleBytes);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7f || (code < 0x20 && code > 0 && (code < 0x09 || code > 0x0d) && code !== 0x1a && code !== 0x1b)) count++;
  }
  return count / Math.max(1, length);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, sampleBytes)).toString("latin1");
}
