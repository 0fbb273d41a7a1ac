import { inflateRawSync } from "node:zlib";

/** An office file or a book: a ZIP archive whose entries are unpacked when they are asked for. */
export interface Archive {
  readonly names: readonly string[];
  /** The bytes of an entry, or undefined where there is none. Fails where unpacking it would pass the limits, or one given here. */
  read(name: string, maxBytes?: number): Uint8Array | undefined;
}

/** No document that people write holds more; an archive that does is built to fill the memory of whoever opens it. */
const maxEntries = 20_000;
const maxEntryBytes = 64 * 1024 * 1024;
const maxTotalBytes = 256 * 1024 * 1024;
/** For XML that becomes a tree, which takes eighty times the memory of its text. */
export const maxTreeBytes = 24 * 1024 * 1024;

interface Entry {
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly packedSize: number;
  readonly offset: number;
}

/** Fails with plain words for what is no archive, or one that is broken, encrypted or a bomb. */
export function openArchive(bytes: Uint8Array): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view);
  let total = 0;
  return {
    names: [...entries.keys()],
    read(name, maxBytes = maxEntryBytes) {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      if (entry.isEncrypted) throw new Error(`${name} in it is encrypted`);
      const unpacked = unpack({ bytes, view, maxBytes }, name, entry);
      total += unpacked.length;
      if (total > maxTotalBytes) throw new Error(`it unpacks to more than ${maxTotalBytes / 1024 / 1024} MB`);
      return unpacked;
    },
  };
}

function readDirectory(bytes: Uint8Array, view: DataView): ReadonlyMap<string, Entry> {
  const end = endOfDirectory(bytes, view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count > maxEntries) throw new Error(`it has ${count} entries; at most ${maxEntries} are read`);
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) throw new Error("its table of contents is broken");
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)).replaceAll("\\", "/");
    entries.set(name, {
      method: view.getUint16(at + 10, true),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      packedSize: view.getUint32(at + 20, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** The last record of the archive, which may be followed by a comment. */
function endOfDirectory(bytes: Uint8Array, view: DataView): number {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 65_535); at--) if (view.getUint32(at, true) === 0x06054b50) return at;
  throw new Error(isCompound(bytes) ? "it is encrypted, or in the format of before 2007; save it without a password in the current format" : "it is cut off or no such file at all");
}

/** The container of old office files, and of new ones with a password. */
function isCompound(bytes: Uint8Array): boolean {
  return [0xd0, 0xcf, 0x11, 0xe0].every((byte, i) => bytes[i] === byte);
}

interface Packed {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly maxBytes: number;
}

function unpack({ bytes, view, maxBytes }: Packed, name: string, { method, packedSize, offset }: Entry): Uint8Array {
  if (offset + 30 > bytes.length) throw new Error(`${name} in it is cut off`);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const packed = bytes.subarray(start, start + packedSize);
  if (method === 0 && packed.length > maxBytes) throw new Error(`${name} in it has more than ${maxBytes / 1024 / 1024} MB`);
  if (method === 0) return packed;
  if (method !== 8) throw new Error(`${name} in it is packed in a way that is not known (${method})`);
  try {
    // What an archive says about the size of its entries may be a lie; this limit holds whatever it says.
    return inflateRawSync(packed, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLarge = error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw new Error(isTooLarge ? `${name} in it unpacks to more than ${maxBytes / 1024 / 1024} MB` : `${name} in it is broken`, { cause: error });
  }
}

/** A path beside or above the part that names it, or from the root where it begins with a slash. */
export function resolvePart(folder: string, target: string): string {
  const parts: string[] = [];
  for (const part of (target.startsWith("/") ? target : `${folder}${target}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** For the failure of a parser whose words are about its own inside: what the user can know of it, in ours. */
export function withoutDetail(message: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof RangeError ? error : new Error(message, { cause: error });
  };
}
