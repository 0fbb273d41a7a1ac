import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { Connection } from "./connection.ts";
import { itemFailure } from "./failure.ts";
import { patiently } from "./patience.ts";

/** Small clusters take 10 MiB at once. */
const groupBytes = 4 * 1024 * 1024;

/** Documents that go to the server in groups. */
export interface Bulk {
  add(id: string, document: object): Promise<void>;
  /** All that was added is with the server when it returns. */
  flush(): Promise<void>;
}

const Answer = z.looseObject({ errors: z.boolean(), items: z.array(z.looseObject({ index: z.looseObject({ status: z.int(), error: z.unknown().optional() }) })) });

/** A group, or a part of it, that the server could not take for the moment is sent again: a document with the same ID replaces itself. */
export function openBulk({ url, work }: Connection, alias: string): Bulk {
  let waiting: string[] = [];
  let bytes = 0;

  async function send(): Promise<void> {
    let left = waiting;
    [waiting, bytes] = [[], 0];
    if (left.length === 0) return;
    await patiently(async () => {
      const { errors, items } = await work({ method: "POST", path: `/${alias}/_bulk`, query: { require_alias: true }, body: left.join(""), answer: Answer });
      if (items.length !== left.length) throw new TwelveError("SERVICE_FAILED", `${url} answered for ${items.length} documents, and ${left.length} were sent`);
      if (!errors) return;
      const failures = items.filter(({ index }) => index.status >= 300).map(({ index: { status, error } }) => itemFailure({ status, error }, { url }));
      left = left.filter((_, i) => (items[i]?.index.status ?? 0) >= 300);
      // One that will not pass goes before those that may.
      const failure = failures.find(({ retry }) => retry === undefined) ?? failures[0];
      if (failure !== undefined) throw failure;
    });
  }

  return {
    async add(id, document) {
      const lines = `${JSON.stringify({ index: { _id: id } })}\n${JSON.stringify(document)}\n`;
      const size = Buffer.byteLength(lines);
      if (waiting.length > 0 && bytes + size > groupBytes) await send();
      waiting.push(lines);
      bytes += size;
    },
    flush: send,
  };
}
