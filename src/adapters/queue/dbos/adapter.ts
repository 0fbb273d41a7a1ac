import { DBOSClient } from "@dbos-inc/dbos-sdk";
import manifest from "../../../../package.json" with { type: "json" };
import type { JobQueue } from "../../../ports/queue.ts";
import { checkDatabase } from "../../state/check.ts";
import { openDatabase, speaking } from "../../state/database.ts";
import { silentLogger } from "./logger.ts";
import { application, jobQueue, jobWorkflow, jsonSerializer, schema } from "./names.ts";
import { prepareTables } from "./prepare.ts";
import { readJobs } from "./status.ts";

export interface QueueOptions {
  /** Jobs are done by workers of the version that submitted them. */
  readonly version?: string;
  /** A worker that has not been heard of for so long is lost, and its work goes to others. */
  readonly lostMs?: number;
}

const usualLostMs = 8000;

/** Opens `postgres://...` or `pglite:<folder>`; nothing is connected before the first call. */
export async function openQueue(reference: string, dir: string, { version = manifest.version, lostMs = usualLostMs }: QueueOptions = {}): Promise<JobQueue> {
  const database = await openDatabase(reference, dir);
  let prepared: Promise<void> | undefined;
  let client: Promise<DBOSClient> | undefined;

  const prepare = (): Promise<void> => {
    prepared ??= prepareTables(database).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };

  const openClient = (): Promise<DBOSClient> =>
    DBOSClient.create({ systemDatabaseUrl: "", systemDatabasePool: database.pool, systemDatabaseSchemaName: schema, serializer: jsonSerializer, applicationName: application, logger: silentLogger });

  /** Every call but `close` goes through here. */
  const ask = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await prepare();
    return speaking(database, work);
  };

  return {
    url: database.url,
    check: () => checkDatabase(database),
    submit: ({ id, kind, input, shards }) =>
      ask(async () => {
        client ??= openClient();
        const options = { workflowName: jobWorkflow, queueName: jobQueue(kind), workflowID: id, appVersion: version, attributes: { kind, shards: shards.length } };
        await (await client).enqueue(options, id, kind, input, shards);
      }),
    status: (id) => ask(async () => (await readJobs(database, { id }))[0]),
    list: (options = {}) => ask(() => readJobs(database, options)),
    cancel: (id) =>
      ask(async () => {
        const [job] = await readJobs(database, { id });
        if (job?.state !== "queued" && job?.state !== "running") return false;
        client ??= openClient();
        await (await client).cancelWorkflow(id, { cancelChildren: true });
        return (await readJobs(database, { id }))[0]?.state === "cancelled";
      }),
    work: (handlers, options) =>
      ask(async () => {
        const { work } = await import("./worker.ts");
        await work({ ...options, handlers, version, lostMs, reopen: (session) => openDatabase(reference, dir, session) });
      }),
    async close() {
      await (await client)?.destroy();
      await database.pool.end();
    },
  };
}
