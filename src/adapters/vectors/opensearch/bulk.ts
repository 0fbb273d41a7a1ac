import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { Connection } from "./connection.ts";
import { itemFailure } from "./failure.ts";

/** Small clusters take 10 MiB at once. */
const groupBytes = 4 * 1024 * 1024;
const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** Together about a minute of pauses. */
const mostTries = 10;

/** Documents that go to the server in groups. */
export interface Bulk {
  add(id: string, document: object): Promise<void>;
  /** All that was added is with the server when it returns. */
  flush(): Promise<void>;
}

interface Document {
  readonly id: string;
  readonly lines: string;
}

const Answer = z.looseObject({ errors: z.boolean(), items: z.array(z.looseObject({ index: z.looseObject({ status: z.int(), error: z.unknown().optional() }) })) });

/** A group, or a part of it, that the server could not take for the moment is sent again: a document with the same ID replaces itself. */
export function openBulk({ url, work }: Connection, alias: string): Bulk {
  let waiting: Document[] = [];
  let bytes = 0;

  async function send(): Promise<void> {
    let left = waiting;
    [waiting, bytes] = [[], 0];
    for (let attempt = 1; left.length > 0; attempt += 1) {
      const { refused, failure } = await attemptOf(left);
      if (failure === undefined) return;
      if (failure.retry === undefined || attempt >= mostTries) throw failure;
      await pause(failure.retry.afterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)));
      left = refused;
    }
  }

  /** What the server refused, and why: the first reason that will not pass, else the first. */
  async function attemptOf(documents: Document[]): Promise<{ readonly refused: Document[]; readonly failure: TwelveError | undefined }> {
    try {
      const { errors, items } = await work({ method: "POST", path: `/${alias}/_bulk`, query: { require_alias: true }, body: documents.map(({ lines }) => lines).join(""), answer: Answer });
      if (items.length !== documents.length) throw new TwelveError("SERVICE_FAILED", `${url} answered for ${items.length} documents, and ${documents.length} were sent`);
      if (!errors) return { refused: [], failure: undefined };
      const refused = documents.filter((_, i) => (items[i]?.index.status ?? 0) >= 300);
      const failures = items.filter(({ index }) => index.status >= 300).map(({ index: { status, error } }) => itemFailure({ status, error }, { url }));
      return { refused, failure: failures.find(({ retry }) => retry === undefined) ?? failures[0] };
    } catch (error) {
      if (error instanceof TwelveError) return { refused: documents, failure: error };
      throw error;
    }
  }

  return {
    async add(id, document) {
      const lines = `${JSON.stringify({ index: { _id: id } })}\n${JSON.stringify(document)}\n`;
      const size = Buffer.byteLength(lines);
      if (waiting.length > 0 && bytes + size > groupBytes) await send();
      waiting.push({ id, lines });
      bytes += size;
    },
    flush: send,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
