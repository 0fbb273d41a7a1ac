import { inTime } from "../core/deadline.ts";
import { summaryOf, TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import type { ServiceCheck } from "../ports/check.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Need } from "./plan.ts";
import type { ServiceProblem, ServiceRow } from "./schema.ts";

interface Asking {
  readonly secrets: Environment;
  readonly limitMs: number;
  readonly onAnswer: () => void;
}

/** Asks all of them at the same time; a failure is an answer. */
export async function askServices(context: Context, needs: readonly Need[], asking: Asking): Promise<readonly ServiceRow[]> {
  return Promise.all(needs.map(async (need) => {
    const row = await askService(context, need, asking);
    asking.onAnswer();
    return row;
  }));
}

async function askService(context: Context, need: Need, { secrets, limitMs }: Asking): Promise<ServiceRow> {
  const url = withoutCredentials(need.reference);
  const startedMs = context.clock.monotonicMs();
  try {
    const { version, detail = null } = await inTime((signal) => ask(context, need, { secrets, signal }), { limitMs, who: url, signal: context.signal });
    return { service: need.service, url, isReachable: true, version, detail, latencyMs: Math.round(context.clock.monotonicMs() - startedMs), problem: null };
  } catch (error) {
    context.signal.throwIfAborted();
    return { service: need.service, url, isReachable: false, version: null, detail: null, latencyMs: null, problem: problemOf(error) };
  }
}

interface Question {
  readonly secrets: Environment;
  readonly signal: AbortSignal;
}

async function ask(context: Context, { role, reference }: Need, { secrets, signal }: Question): Promise<ServiceCheck> {
  if (role === "model") return (await context.openModel(reference, secrets)).check(signal);
  if (role === "embedder") return (await context.openEmbedder(reference, secrets)).check(signal);
  if (role === "reranker") return (await context.openReranker(reference, secrets)).check(signal);
  if (role === "sessions") return askAndClose(await context.openSessions(reference, secrets), signal);
  if (role === "queue") return askAndClose(await context.openQueue(reference), signal);
  if (role === "store") return askStore(context, signal);
  if (role === "config") return askConfig(context, reference, signal);
  if (reference !== "lance:") return askAndClose(await context.openVectorService(reference, secrets), signal);
  const { version } = await context.openVectors(reference);
  return { version, detail: "in this process" };
}

interface Closable {
  check(signal?: AbortSignal): Promise<ServiceCheck>;
  close(): Promise<void>;
}

async function askAndClose(service: Closable, signal: AbortSignal): Promise<ServiceCheck> {
  try {
    return await service.check(signal);
  } finally {
    // What it answered is known, and what cannot be closed ends with the process.
    await service.close().catch(() => {});
  }
}

async function askStore(context: Context, signal: AbortSignal): Promise<ServiceCheck> {
  const store = await context.store();
  if (store.check !== undefined) return store.check(signal);
  await store.refs.list("");
  return { version: null };
}

async function askConfig(context: Context, reference: string, signal: AbortSignal): Promise<ServiceCheck> {
  const source = await context.openConfig(reference);
  if (source.check !== undefined) return source.check(signal);
  await source.read();
  return { version: null };
}

/** A bug of ours is no state of a service. */
export function problemOf(error: unknown): ServiceProblem {
  if (!(error instanceof TwelveError)) throw error;
  return { code: error.code, message: summaryOf(error), fix: error.fix };
}
