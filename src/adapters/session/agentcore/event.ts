import type { Event, MetadataValue, PayloadType, Role } from "@aws-sdk/client-bedrock-agentcore";
import type { SessionEntry } from "../../../ports/session.ts";
import { readEntry } from "../entry.ts";

/** What an event says about the session; all of it stands in the metadata, so that it can be read without the messages. */
export interface EventHead {
  /** Shared by the events of one session, and by no later session of the same name. */
  readonly life: string;
  /** Whoever wrote the event knows it again by this. */
  readonly writer: string;
  /** The version that it goes on from; 0 for the first one. */
  readonly from: number;
  readonly version: number;
  /** Of the session, with this event. */
  readonly bytes: number;
  readonly updatedMs: number;
  readonly expiresMs: number | null;
  /** The session is being deleted. */
  readonly isEnd: boolean;
}

export interface KnownEvent extends EventHead {
  readonly eventId: string;
  readonly atMs: number;
  readonly payload: readonly PayloadType[];
}

const roles: Readonly<Record<SessionEntry["role"], Role>> = { user: "USER", assistant: "ASSISTANT", tool: "TOOL", system: "OTHER" };
const longestText = 100_000;
/** An event has at most a hundred parts; one of them is ours. */
const mostTexts = 99;

export function writeMetadata({ life, writer, from, version, bytes, updatedMs, expiresMs, isEnd }: EventHead): Record<string, MetadataValue> {
  const values = { life, writer, from, version, bytes, updated: updatedMs, expires: expiresMs ?? "never", end: isEnd ? 1 : 0 };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`twelve.${name}`, { stringValue: String(value) }]));
}

/** Undefined for what somebody else wrote. */
export function readEvent({ eventId = "", eventTimestamp, metadata = {}, payload = [] }: Partial<Event>): KnownEvent | undefined {
  const value = (name: string): string | undefined => metadata[`twelve.${name}`]?.stringValue;
  const [life, writer] = [value("life"), value("writer")];
  const [from, version, bytes, updatedMs] = ["from", "version", "bytes", "updated"].map((name) => Number(value(name) ?? Number.NaN)) as [number, number, number, number];
  if (life === undefined || writer === undefined || ![from, version, bytes, updatedMs].every(Number.isFinite)) return undefined;
  const expires = value("expires") ?? "never";
  return { eventId, atMs: eventTimestamp?.getTime() ?? 0, life, writer, from, version, bytes, updatedMs, expiresMs: expires === "never" ? null : Number(expires), isEnd: value("end") === "1", payload };
}

interface Noted {
  readonly session: string;
  /** Each entry without its content where that is told as conversation, in so many texts. */
  readonly entries: readonly (Partial<SessionEntry> & { readonly texts?: number })[];
}

/** Messages are told as conversation, which the memory learns from; what conversation cannot hold goes beside it. */
export function writePayload(session: string, entryTexts: readonly string[]): PayloadType[] {
  const conversation: PayloadType[] = [];
  const entries = entryTexts.map((text) => {
    const { content, ...rest } = readEntry(text);
    const pieces = piecesOf(content);
    if (pieces.length === 0 || conversation.length + pieces.length > mostTexts || !content.isWellFormed() || content.includes("\0")) return { ...rest, content };
    conversation.push(...pieces.map((piece) => ({ conversational: { role: roles[rest.role], content: { text: piece } } })));
    return { ...rest, texts: pieces.length };
  });
  const record: Noted = { session, entries };
  // As a text: documents of other kinds come back changed.
  return [...conversation, { blob: JSON.stringify(record) }];
}

export function readPayload(payload: readonly PayloadType[]): { readonly session: string; readonly entries: readonly SessionEntry[] } {
  const texts = payload.flatMap(({ conversational }) => (conversational?.content?.text === undefined ? [] : [conversational.content.text]));
  const blob = payload.find((part) => typeof part.blob === "string")?.blob as string | undefined;
  const { session, entries } = JSON.parse(blob ?? '{"session":"","entries":[]}') as Noted;
  let next = 0;
  const read = entries.map(({ texts: count, ...rest }) => {
    if (count === undefined) return rest as SessionEntry;
    next += count;
    const { role, at, data } = rest as SessionEntry;
    return { role, content: texts.slice(next - count, next).join(""), at, ...(data === undefined ? {} : { data }) };
  });
  return { session, entries: read };
}

function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = start + longestText;
    // A pair of surrogates is one character, and stays together.
    const isSplit = end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1));
    pieces.push(text.slice(start, isSplit ? end - 1 : end));
    start = isSplit ? end - 1 : end;
  }
  return pieces;
}
