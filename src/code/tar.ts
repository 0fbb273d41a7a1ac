import { readSync } from "node:fs";

/**
 * The part of the tar format (POSIX ustar with pax headers) that code archives use. Written out here because the tar
 * package loses what we need: names with a newline, link targets longer than 100 bytes, and 8 us of every header.
 */
export const blockBytes = 512;
/** Two empty blocks end an archive. */
export const endBytes = 2 * blockBytes;

/** An entry's content takes whole blocks. */
export function paddedSize(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

export interface TarFile {
  readonly path: string;
  readonly isExecutable: boolean;
  readonly size: number;
}

/** The blocks that stand before a file's content. Equal files give equal bytes: no owner, no time, one of two modes. */
export function fileHeader({ path, isExecutable, size }: TarFile): Buffer {
  const mode = isExecutable ? 0o755 : 0o644;
  const isLarge = size > 0o77777777777;
  const pax = paxHeader({ ...(isPlain(path) ? {} : { path }), ...(isLarge ? { size: String(size) } : {}) });
  return Buffer.concat([pax, block({ name: path, mode, size: isLarge ? 0 : size, type: "0" })]);
}

export function linkHeader(path: string, target: string): Buffer {
  const pax = paxHeader({ ...(isPlain(path) ? {} : { path }), ...(isPlain(target) ? {} : { linkpath: target }) });
  return Buffer.concat([pax, block({ name: path, mode: 0o777, size: 0, type: "2", link: target })]);
}

/** What the plain header can hold without loss, on any system. */
function isPlain(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

function paxHeader(records: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  if (body.length === 0) return body;
  const padding = Buffer.alloc(paddedSize(body.length) - body.length);
  return Buffer.concat([block({ name: "pax-header", mode: 0o644, size: body.length, type: "x" }), body, padding]);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

interface Block {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly link?: string;
}

function block({ name, mode, size, type, link = "" }: Block): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100);
  header.write(octal(mode, 7), 100);
  header.write("0000000\x000000000", 108);
  header.write(octal(size, 11), 124);
  header.write("00000000000", 136);
  header.write(`        ${type}`, 148);
  header.write(link, 157, 100);
  header.write("ustar\x0000", 257);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

export interface TarEntry {
  readonly path: string;
  readonly type: "file" | "link" | "other";
  readonly target: string;
  readonly size: number;
  /** Where its content begins. */
  readonly offset: number;
}

/** The entries of an open archive, in order; contents are skipped, not read. Throws an Error for what is no such archive. */
export function* tarEntries(file: number): Generator<TarEntry> {
  let pax: Readonly<Record<string, string>> = {};
  for (let position = 0; ; ) {
    const header = Buffer.alloc(blockBytes);
    if (readSync(file, header, 0, blockBytes, position) !== blockBytes) throw new Error(`it ends at byte ${position} without its end mark`);
    if (header.every((byte) => byte === 0)) return;
    if (checksum(header) !== number(header, 148, 8)) throw new Error(`the header at byte ${position} is damaged`);
    const offset = position + blockBytes;
    const size = pax["size"] === undefined ? number(header, 124, 12) : Number(pax["size"]);
    if (!Number.isSafeInteger(size) || size < 0) throw new Error(`the header at byte ${position} has no size`);
    position = offset + paddedSize(size);
    const type = header.toString("latin1", 156, 157);
    if (type === "x") {
      if (size > 1 << 20) throw new Error(`the header at byte ${offset} is ${size} bytes long`);
      const body = Buffer.alloc(size);
      readSync(file, body, 0, size, offset);
      pax = parsePax(body);
      continue;
    }
    const kind = type === "0" || type === "\0" ? "file" : type === "2" ? "link" : "other";
    yield { path: pax["path"] ?? name(header), type: kind, target: pax["linkpath"] ?? text(header, 157, 100), size, offset };
    pax = {};
  }
}

function name(header: Buffer): string {
  const prefix = text(header, 345, 155);
  return prefix === "" ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

function number(header: Buffer, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim(), 8);
}

/** The sum of a header's bytes, with the field of the sum itself counted as spaces. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

function parsePax(body: Buffer): Readonly<Record<string, string>> {
  const records: Record<string, string> = {};
  for (let start = 0; start < body.length; ) {
    const length = Number.parseInt(body.toString("latin1", start, start + 12), 10);
    if (!(length > 0)) throw new Error("an extended header is damaged");
    const record = body.toString("utf8", body.indexOf(" ", start) + 1, start + length - 1);
    records[record.slice(0, record.indexOf("="))] = record.slice(record.indexOf("=") + 1);
    start += length;
  }
  return records;
}
