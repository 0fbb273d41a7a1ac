import { TwelveError } from "../../../core/errors.ts";
import type { RemoteIndex } from "./connection.ts";
import { Upserted } from "./schema.ts";

/** https://docs.pinecone.io/reference/api/database-limits/operation-limits */
const mostRecords = 1000;
const mostBytes = 2_000_000;
/** Requests under way: each holds up to 2 MB. */
const atOnce = 4;

export interface Written {
  readonly records: number;
  /** The number of the last write; undefined where Pinecone does not number them. */
  readonly lsn: number | undefined;
}

export interface Upserts {
  /** Takes a record as JSON, and waits while enough is under way. Fails as an earlier record failed. */
  add(record: string): Promise<void>;
  /** Sends the rest and waits for everything. */
  end(): Promise<Written>;
  /** Waits for what is under way, whatever becomes of it. */
  settle(): Promise<void>;
}

/** Writes records into a namespace, in requests as large as Pinecone takes them. */
export function openUpserts(index: RemoteIndex, space: string): Upserts {
  const start = `{"namespace":${JSON.stringify(space)},"vectors":[`;
  const under = new Set<Promise<void>>();
  let group: string[] = [];
  let sizeBytes = 0;
  let records = 0;
  let lsn: number | undefined;
  let failure: { readonly error: unknown } | undefined;

  const throwIfFailed = (): void => {
    if (failure !== undefined) throw failure.error;
  };

  async function send(json: string, count: number): Promise<void> {
    try {
      const answer = await index.ask(Upserted, { path: "/vectors/upsert", json });
      if ((answer.value.upsertedCount ?? count) !== count) throw new TwelveError("SERVICE_FAILED", `${index.name} took ${answer.value.upsertedCount} of ${count} records`);
      if (answer.lsn !== undefined) lsn = Math.max(lsn ?? 0, answer.lsn);
    } catch (error) {
      failure ??= { error };
    }
  }

  async function flush(): Promise<void> {
    throwIfFailed();
    if (group.length === 0) return;
    while (under.size >= atOnce) await Promise.race(under);
    throwIfFailed();
    const sending = send(`${start}${group.join(",")}]}`, group.length).finally(() => under.delete(sending));
    under.add(sending);
    records += group.length;
    group = [];
    sizeBytes = 0;
  }

  return {
    async add(record) {
      const ownBytes = Buffer.byteLength(record) + 1;
      if (group.length >= mostRecords || start.length + sizeBytes + ownBytes > mostBytes) await flush();
      group.push(record);
      sizeBytes += ownBytes;
    },
    async end() {
      await flush();
      await Promise.all(under);
      throwIfFailed();
      return { records, lsn };
    },
    async settle() {
      await Promise.all(under);
    },
  };
}
