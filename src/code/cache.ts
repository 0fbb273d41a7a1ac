import { type LocalCache, readCached, writeCached } from "../artifact/local-cache.ts";
import type { Clock } from "../ports/clock.ts";
import { inspectionVersion, type Marks } from "./inspect.ts";
import type { Digest } from "../core/descriptor.ts";

/** What is known of a content. */
export interface Facts {
  readonly digest: Digest;
  readonly size: number;
  readonly marks: Marks;
}

/** Facts by git's name of a content: what git says is unchanged is never read again. */
export type FactsCache = ReadonlyMap<string, Facts>;

const cacheOf = (dir: string): LocalCache => ({ dir, name: "code-facts", header: `twelve code facts 1.${inspectionVersion}` });

/** Empty when there is none, or when it is damaged or of another version: then the files are read again. */
export function readCache(dir: string): FactsCache {
  const text = readCached(cacheOf(dir)) ?? "";
  const facts = new Map<string, Facts>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const [oid = "", digest = "", size = "", marks] = splitLine(text, at, end);
    facts.set(oid, { digest: `sha256:${digest}`, size: Number(size), marks: marks === undefined ? { isText: true } : (JSON.parse(marks) as Marks) });
    at = end + 1;
  }
  return facts;
}

export function writeCache(dir: string, facts: FactsCache, clock: Clock): void {
  const lines: string[] = [];
  for (const [oid, { digest, size, marks }] of facts) {
    // Plain text without any finding is what most files are.
    const text = JSON.stringify(marks);
    lines.push(`${oid} ${digest.slice(7)} ${size}${text === '{"isText":true}' ? "" : ` ${text}`}\n`);
  }
  writeCached(cacheOf(dir), lines.join(""), clock);
}

/** Three fields, and the rest of the line as a fourth one where there is more. */
function splitLine(text: string, start: number, end: number): readonly string[] {
  const first = text.indexOf(" ", start);
  const second = text.indexOf(" ", first + 1);
  const third = text.indexOf(" ", second + 1);
  const isShort = third === -1 || third > end;
  const fields = [text.slice(start, first), text.slice(first + 1, second), text.slice(second + 1, isShort ? end : third)];
  return isShort ? fields : [...fields, text.slice(third + 1, end)];
}
