import { crc32 } from "node:zlib";
import type { Archive } from "./archive.ts";
import { refuseEntities } from "./xml.ts";

export interface RepackOptions {
  /** For each part. */
  readonly maxBytes?: number;
  /** Fails for a part that must not be read. */
  readonly check?: (part: Uint8Array) => void;
}

/**
 * An archive of the XML parts of another one, each of which has passed our limits. A library that unpacks without any
 * limit is given this: what it finds in it, by whatever way and under whatever name, is what was looked at.
 */
export function repackXml(archive: Archive, { maxBytes, check }: RepackOptions = {}): Buffer {
  const parts: Part[] = [];
  for (const name of archive.names) {
    if (!/\.(?:xml|rels)$/i.test(name)) continue;
    const bytes = archive.read(name, maxBytes) ?? new Uint8Array();
    refuseEntities(bytes, name);
    check?.(bytes);
    parts.push({ name: Buffer.from(name), bytes });
  }
  return store(parts);
}

interface Part {
  readonly name: Buffer;
  readonly bytes: Uint8Array;
}

/** Nothing is compressed, so nothing can be larger than it seems. */
function store(parts: readonly Part[]): Buffer {
  const contents: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of parts) {
    const facts = factsOf(name, bytes);
    contents.push(signature("PK\u0003\u0004"), facts, name, bytes);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(signature("PK\u0001\u0002"), facts.subarray(0, 2), facts, place, name);
    offset += 4 + facts.length + name.length + bytes.length;
  }
  const end = Buffer.alloc(18);
  for (const at of [4, 6]) end.writeUInt16LE(parts.length, at);
  end.writeUInt32LE(directory.reduce((sum, { length }) => sum + length, 0), 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...contents, ...directory, signature("PK\u0005\u0006"), end]);
}

function signature(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/** What an entry and the table of contents both say: version, names in UTF-8, no compression, no time, checksum, sizes. */
function factsOf(name: Uint8Array, bytes: Uint8Array): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(1 << 11, 2);
  facts.writeUInt32LE(crc32(bytes), 10);
  facts.writeUInt32LE(bytes.length, 14);
  facts.writeUInt32LE(bytes.length, 18);
  facts.writeUInt16LE(name.length, 22);
  return facts;
}
