import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

/** What one item may hold is 400 KB, names and all; the rest is for the attributes beside the bytes. */
export const partBytes = 350_000;
/** A transaction may write 4 MB; one of its items is the session's head. */
export const mostAppendBytes = 3_500_000;

/** What stands for a session in the partition of its user. */
export interface Head {
  /** Of this very session: one that takes its name later has another, and other entries. */
  readonly id: string;
  readonly version: number;
  /** Number of entries. */
  readonly count: number;
  readonly bytes: number;
  readonly updatedMs: number;
  readonly expiresMs: number | null;
  /** The second until which DynamoDB keeps every entry at least; null for good, also where the session itself expires. */
  readonly keptUntil: number | null;
  /** Its entries are being deleted. */
  readonly isGone: boolean;
}

export function headKey(user: string, session: string): Item {
  return { pk: { S: `u#${user}` }, sk: { S: `s#${session}` } };
}

/** A head stays until its entries are surely gone, which takes DynamoDB days: without it nobody finds them to delete them. */
const headStaysSeconds = 7 * 24 * 60 * 60;

const number = (value: number): AttributeValue => ({ N: String(value) });

export function headItem(user: string, session: string, { id, version, count, bytes, updatedMs, expiresMs, keptUntil }: Head): Item {
  return {
    ...headKey(user, session), id: { S: id }, version: number(version), count: number(count), bytes: number(bytes), updated: number(updatedMs),
    ...(expiresMs === null ? {} : { expires: number(expiresMs) }),
    ...(keptUntil === null ? {} : { kept: number(keptUntil), ttl: number(keptUntil + headStaysSeconds) }),
  };
}

export function readHead(item: Item): Head {
  const of = (name: string): number => Number(item[name]?.N ?? 0);
  const optional = (name: string): number | null => (item[name]?.N === undefined ? null : of(name));
  return { id: item["id"]?.S ?? "", version: of("version"), count: of("count"), bytes: of("bytes"), updatedMs: of("updated"), expiresMs: optional("expires"), keptUntil: optional("kept"), isGone: item["gone"]?.BOOL === true };
}

/** The session's name; the sort key of a head holds it. */
export function nameOf(item: Item): string {
  return item["sk"]?.S?.slice(2) ?? "";
}

/** The entries of one append, as one text in as many items as it needs. They sort by the version that they were appended at. */
export function entryItems(id: string, version: number, texts: readonly string[], keptUntil: number | null): readonly Item[] {
  // JSON has no line breaks of its own; an array of texts would escape them once more, and could double their size.
  const bytes = Buffer.from(texts.join("\n"));
  return Array.from({ length: Math.ceil(bytes.length / partBytes) }, (_, part) => ({
    pk: { S: `e#${id}` }, sk: { S: `${String(version).padStart(16, "0")}#${String(part).padStart(2, "0")}` },
    part: { B: bytes.subarray(part * partBytes, (part + 1) * partBytes) },
    ...(keptUntil === null ? {} : { ttl: number(keptUntil) }),
  }));
}

/** The texts of the appends before `version`, in order. */
export function readEntries(items: readonly Item[], version: number): readonly string[] {
  const appends = Map.groupBy(items.filter((item) => Number(item["sk"]?.S?.split("#", 1)[0]) < version), (item) => item["sk"]?.S?.split("#", 1)[0]);
  return [...appends.values()].flatMap((parts) => Buffer.concat(parts.map((item) => item["part"]?.B ?? new Uint8Array())).toString().split("\n"));
}
