import type { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { callOnce } from "../../aws/call.ts";
import { once } from "../../aws/once.ts";
import { type Client, openClient } from "./client.ts";
import { answerFailure, transportFailure } from "./failure.ts";
import { readCluster } from "./reference.ts";

export interface Request<Schema extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON; a text is lines of JSON that are ready. */
  readonly body?: object | string;
  /** What is read of the answer. */
  readonly answer: Schema;
  readonly signal?: AbortSignal | undefined;
}

export type Ask = <Schema extends z.ZodType>(request: Request<Schema>) => Promise<z.infer<Schema>>;

export interface Connection {
  /** Without credentials, for messages. */
  readonly url: string;
  readonly hnsw: boolean;
  /** One attempt. Fails with the SERVICE_ codes, and with INDEX_NOT_FOUND for an index that is gone. */
  readonly ask: Ask;
  /** The same, for work that takes the server longer than a search. */
  readonly work: Ask;
  close(): void;
}

/** For a group of documents, or for making all of them searchable. */
const workMs = 300_000;

/** Nothing is asked before the first call. */
export function openConnection(reference: string, env: Environment): Connection {
  const cluster = readCluster(reference);
  const { url } = cluster;
  let client: Client | undefined;
  const open = once(async () => (client = await openClient(cluster, env)));

  function askWithin<Schema extends z.ZodType>(timeoutMs: number, { answer, signal, ...request }: Request<Schema>): Promise<z.infer<Schema>> {
    return callOnce({
      name: url, timeoutMs, signal,
      async send(abortSignal) {
        const answered = await (await open()).send(request, abortSignal);
        if (answered.status < 200 || answered.status >= 300) throw answerFailure(answered, cluster);
        const read = answer.safeParse(answered.body);
        if (read.success) return read.data;
        throw new TwelveError("SERVICE_FAILED", `${url} answered something that is no answer of OpenSearch`, { cause: read.error, fix: "Check that the address is that of an OpenSearch cluster, and not of a page or a proxy before it" });
      },
      failure: (error) => transportFailure(error, cluster),
    });
  }

  return {
    url,
    hnsw: cluster.hnsw,
    ask: (request) => askWithin(cluster.timeoutMs, request),
    work: (request) => askWithin(Math.max(cluster.timeoutMs, workMs), request),
    close: () => client?.close(),
  };
}
