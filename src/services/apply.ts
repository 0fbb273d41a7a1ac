import { readDocument } from "../artifact/document.ts";
import { openState } from "../config/state.ts";
import { counted } from "../core/counted.ts";
import { shortDigest } from "../core/descriptor.ts";
import { inTime } from "../core/deadline.ts";
import { summaryOf, TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import { openWhole } from "../index/published.ts";
import { indexKind } from "../index/schema.ts";
import type { Checkable, ServiceCheck } from "../ports/check.ts";
import type { ConfigProvider } from "../ports/config.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { Need, NeededIndex } from "./plan.ts";
import type { ServiceProblem, ServiceRow } from "./schema.ts";

interface Asking {
  readonly environment: string;
  readonly secrets: Environment;
  readonly code: string | undefined;
  readonly limitMs: number;
  /** Asks for a model's life, too, where that is another question than whether it answers. */
  readonly isLifeAsked?: boolean;
  readonly onAnswer: () => void;
}

/** Asks all of them at the same time; a failure is an answer. Behind a vector service that answers come the indexes that must be there. */
export async function askServices(context: Context, needs: readonly Need[], asking: Asking): Promise<readonly ServiceRow[]> {
  const rows = await Promise.all(needs.map(async (need) => {
    const row = await askService(context, need, asking);
    const indexes = row.isReachable ? (need.indexes ?? []) : [];
    const held = await Promise.all(indexes.map((index) => askIndex(context, { ...index, reference: need.reference }, asking)));
    asking.onAnswer();
    return [row, ...held];
  }));
  return rows.flat();
}

/** Whether all of it is at the service that it is searched at. */
async function askIndex(context: Context, { name, descriptor, reference }: NeededIndex & Pick<Need, "reference">, { environment, secrets, limitMs }: Asking): Promise<ServiceRow> {
  const url = withoutCredentials(reference);
  const row = { service: `index ${name}@${shortDigest(descriptor.digest)}`, url, version: null, lifecycle: null };
  try {
    const startedMs = context.clock.monotonicMs();
    const chunks = await inTime(() => countChunks(context, { descriptor, reference, environment, secrets }), { limitMs, who: url, signal: context.signal });
    return { ...row, isReachable: true, detail: counted(chunks, "chunk"), latencyMs: Math.round((context.clock.monotonicMs() - startedMs) * 10) / 10, problem: null };
  } catch (error) {
    context.signal.throwIfAborted();
    return { ...row, isReachable: false, detail: null, latencyMs: null, problem: problemOf(error) };
  }
}

interface Counting extends Pick<Need, "reference">, Pick<NeededIndex, "descriptor">, Pick<Asking, "environment" | "secrets"> {}

async function countChunks(context: Context, { descriptor, reference, environment, secrets }: Counting): Promise<number> {
  const store = await context.store();
  const service = await context.openVectorService(reference, secrets);
  try {
    const index = await readDocument(store, indexKind, descriptor);
    (await openWhole(store, { index, descriptor, service, place: { environment } })).opened.close();
    return index.chunks;
  } finally {
    await service.close().catch(() => {});
  }
}

async function askService(context: Context, need: Need, { secrets, code, limitMs, isLifeAsked = false }: Asking): Promise<ServiceRow> {
  const url = withoutCredentials(need.reference);
  try {
    const answer = await inTime((signal) => openAndAsk(context, need, { secrets, code, isLifeAsked, signal }), { limitMs, who: url, signal: context.signal });
    const { version, detail = null, lifecycle = null, isModelUnknown, latencyMs } = answer;
    return { service: need.service, url, isReachable: true, version, detail, lifecycle, ...(isModelUnknown === undefined ? {} : { isModelUnknown }), latencyMs, problem: null };
  } catch (error) {
    context.signal.throwIfAborted();
    return { service: need.service, url, isReachable: false, version: null, detail: null, lifecycle: null, latencyMs: null, problem: problemOf(error) };
  }
}

interface Question extends Pick<Asking, "secrets" | "code"> {
  readonly isLifeAsked: boolean;
  readonly signal: AbortSignal;
}

interface Asked extends Checkable {
  close?(): Promise<void>;
}

async function openAndAsk(context: Context, need: Need, { signal, isLifeAsked, ...from }: Question): Promise<ServiceCheck & { readonly latencyMs: number }> {
  const service = await open(context, need, from);
  // From here on: that our own modules had to be loaded says nothing about the service.
  const startedMs = context.clock.monotonicMs();
  try {
    const answer = await service.check(signal);
    const latencyMs = Math.round((context.clock.monotonicMs() - startedMs) * 10) / 10;
    // Only a model that answers is worth the second question.
    const lifecycle = answer.lifecycle ?? (isLifeAsked ? await service.lifecycle?.(signal) : undefined);
    return { ...answer, ...(lifecycle === undefined ? {} : { lifecycle }), latencyMs };
  } finally {
    // What it answered is known, and what cannot be closed ends with the process.
    await service.close?.().catch(() => {});
  }
}

async function open(context: Context, { role, reference, place }: Need, { secrets, code }: Pick<Asking, "secrets" | "code">): Promise<Asked> {
  if (place !== undefined) return context.openTool(place);
  if (role === "model") return context.openModel(reference, secrets, code);
  if (role === "embedder") return context.openEmbedder(reference, secrets);
  if (role === "reranker") return context.openReranker(reference, secrets);
  if (role === "sessions" || role === "runs" || role === "jobs") return openState(context, role, reference, secrets);
  if (role === "store") return askedStore(await context.store());
  if (role === "config") return askedConfig(await context.openConfig(reference));
  if (reference !== "lance:") return context.openVectorService(reference, secrets);
  const { version } = await context.openVectors(reference);
  return { check: () => Promise.resolve({ version, detail: "in this process" }) };
}

function askedStore(store: Store): Asked {
  return {
    async check(signal) {
      if (store.check !== undefined) return store.check(signal);
      await store.refs.list("");
      return { version: null };
    },
  };
}

function askedConfig(source: ConfigProvider): Asked {
  return {
    async check(signal) {
      if (source.check !== undefined) return source.check(signal);
      await source.read();
      return { version: null };
    },
  };
}

/** A bug of ours in one adapter leaves the rest of the table readable. */
export function problemOf(error: unknown): ServiceProblem {
  if (!(error instanceof TwelveError)) return { code: "BUG", message: error instanceof Error ? error.message : String(error), fix: "This is a bug in twelve. Please report it with the message above" };
  return { code: error.code, message: summaryOf(error), fix: error.fix };
}
