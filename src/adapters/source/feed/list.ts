import { TwelveError } from "../../../core/errors.ts";
import type { SourceFile, SourceSkip } from "../../../ports/document.ts";
import { type FeedEntry, parseEntry } from "./entry.ts";
import { type Line, linesOf } from "./lines.ts";

/** Where the bytes of a feed are. */
export interface FeedBytes {
  /** What the ledger calls the feed; documents are `<path>#<id>`. */
  readonly path: string;
  /** How many bytes of text are kept from the listing; each document over that costs a read of its own. */
  readonly heldBytes: number;
  readonly maxLineBytes: number;
  /** The whole feed, in pieces. Fails with SOURCE_INVALID when it is not there. */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  readAt(place: Pick<Line, "offset" | "sizeBytes">, signal?: AbortSignal): Promise<Uint8Array>;
}

/** The documents of a feed, line by line. `isWanted` is asked with the id. */
export async function* listFeed(feed: FeedBytes, isWanted: (below: string) => boolean, signal?: AbortSignal): AsyncGenerator<SourceFile | SourceSkip, void> {
  const lineOfId = new Map<string, number>();
  let held = feed.heldBytes;
  for await (const line of linesOf(feed.open(signal), feed.maxLineBytes)) {
    signal?.throwIfAborted();
    const skip = (reason: string): SourceSkip => ({ path: `${feed.path}:${line.number}`, reason });
    if (line.bytes === undefined) {
      yield skip(`has ${megabytes(line.sizeBytes)} MB; a line may have ${megabytes(feed.maxLineBytes)} MB`);
      continue;
    }
    if (line.number === 1 && /^\uFEFF?\s*\[/.test(Buffer.from(line.bytes.subarray(0, 64)).toString())) {
      throw new TwelveError("SOURCE_INVALID", `The feed ${feed.path} is a JSON array. A feed has one JSON object on each line`, { fix: "Write one object a line, for example with `jq -c '.[]' documents.json > documents.jsonl`" });
    }
    const entry = parseEntry(line.bytes);
    if (entry === undefined) continue;
    if ("reason" in entry) {
      yield skip(entry.reason);
      continue;
    }
    const first = lineOfId.get(entry.id);
    if (first !== undefined) {
      yield skip(`has the id ${JSON.stringify(entry.id)} of line ${first}`);
      continue;
    }
    lineOfId.set(entry.id, line.number);
    if (!isWanted(entry.id)) continue;
    const content = Buffer.from(entry.text);
    const isHeld = content.length <= held;
    if (isHeld) held -= content.length;
    yield documentOf(feed, entry, line, { sizeBytes: content.length, held: isHeld ? content : undefined });
  }
}

interface Content {
  readonly sizeBytes: number;
  readonly held: Uint8Array | undefined;
}

function documentOf(feed: FeedBytes, { id, loader, metadata }: FeedEntry, { offset, sizeBytes: lineBytes }: Line, { sizeBytes, held }: Content): SourceFile {
  const path = `${feed.path}#${id}`;
  return {
    path,
    sizeBytes,
    metadata,
    loader,
    async read(signal) {
      signal?.throwIfAborted();
      if (held !== undefined) return new Uint8Array(held);
      const entry = parseEntry(await feed.readAt({ offset, sizeBytes: lineBytes }, signal));
      if (entry === undefined || "reason" in entry || entry.id !== id) throw new TwelveError("SOURCE_INVALID", `${path} cannot be read: the feed changed after it was listed`, { fix: "Run the command again" });
      return Buffer.from(entry.text);
    },
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "");
}
