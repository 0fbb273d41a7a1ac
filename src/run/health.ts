import { summaryOf, TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import type { Checkable } from "../ports/check.ts";
import type { Model } from "../ports/model.ts";
import type { Retriever } from "../retrieval/read.ts";
import { type Look, rememberLook } from "./look.ts";
import type { StateService } from "./state/service.ts";

/** One thing that answering needs, and whether it is there. */
export interface RuntimePart {
  readonly name: string;
  readonly isReady: boolean;
  readonly detail: string;
  /** Why it is not ready, where that is known. */
  readonly failure?: unknown;
}

export interface NamedService {
  readonly name: string;
  readonly service: Checkable;
  /** False for what only some agents miss: the process is ready without it, and says that it is away. */
  readonly isNeeded?: boolean;
}

interface Parts {
  /** Such as v3. */
  readonly release: string;
  /** Where conversations are kept, if an agent keeps any. */
  readonly state?: StateService | undefined;
  readonly retrievers: readonly Retriever[];
  /** By reference. */
  readonly models: ReadonlyMap<string, Model>;
  /** The models of each agent: one that answers in the place of the others is enough. */
  readonly chains: readonly (readonly string[])[];
  /** What else is needed, such as the state service of agents with tools. */
  readonly others?: readonly NamedService[];
  readonly nowMs: () => number;
}

/** Looks at everything that an answer needs. Probes may come often: what a look costs is spent once in a while. */
export function partChecks({ release, state, retrievers, models, chains, others = [], nowMs }: Parts): () => Promise<readonly RuntimePart[]> {
  const remembered = (look: (signal: AbortSignal) => Promise<string>, who: string, paid?: { readonly failures: () => number }): Look => rememberLook(look, { who, nowMs, paid });
  const indexes = retrievers.map((retriever) => [`index ${retriever.name}`, remembered(() => describeIndex(retriever), `index ${retriever.name}`)] as const);
  const services = [...Map.groupBy(retrievers.flatMap((retriever) => retriever.services()), ({ name }) => name)].flatMap(([name, same]) => {
    const [used] = same;
    if (used === undefined) return [];
    const failures = (): number => same.reduce((sum, each) => sum + each.failures(), 0);
    return [[name, remembered((signal) => ask(used.service, signal), name, used.service.isCheckPaid ? { failures } : undefined)] as const];
  });
  const kept = state === undefined ? [] : [["state", remembered(async (signal) => ask(await state.open(), signal), "the state service")] as const];
  const asked = [...models].map(([reference, model]) => [reference, remembered((signal) => askAndWarm(model, signal), withoutCredentials(reference))] as const);
  const needed = others.map(({ name, service, isNeeded = true }) => {
    const look = remembered((signal) => ask(service, signal), name);
    return [name, isNeeded ? look : withoutIt(look)] as const;
  });
  return async () => {
    const [parts, answers] = await Promise.all([
      Promise.all([...indexes, ...services, ...kept, ...needed].map(async ([name, look]): Promise<RuntimePart> => ({ name, ...describe(await look()) }))),
      Promise.all(asked.map(async ([reference, look]) => [reference, describe(await look())] as const)),
    ]);
    const there = new Set(answers.filter(([, { isReady }]) => isReady).map(([reference]) => reference));
    const isReplaced = (reference: string): boolean => chains.filter((chain) => chain.includes(reference)).every((chain) => chain.some((other) => there.has(other)));
    const modelParts = answers.map(([reference, part]): RuntimePart => {
      const name = `model ${withoutCredentials(reference)}`;
      return part.isReady || !isReplaced(reference) ? { name, ...part } : { name, isReady: true, detail: `another model answers in its place: ${part.detail}` };
    });
    return [{ name: "release", isReady: true, detail: `${release}, every digest verified at start` }, ...parts, ...modelParts];
  };
}

/** Who uses it fails; nobody else does. */
function withoutIt(look: Look): Look {
  return async () => {
    const looked = await look();
    return "detail" in looked ? looked : { detail: `away, and its agents fail until it is there: ${describe(looked).detail}` };
  };
}

async function describeIndex(retriever: Retriever): Promise<string> {
  return `${await retriever.count()} chunks of ${retriever.index.documents} documents; the embedder agreed to ${retriever.probeCosine.toFixed(4)} at start`;
}

async function askAndWarm(model: Model, signal: AbortSignal): Promise<string> {
  const said = await ask(model, signal);
  await model.warm?.();
  return said;
}

async function ask(service: Checkable, signal: AbortSignal): Promise<string> {
  const { version, detail } = await service.check(signal);
  return ["answers", ...(version === null ? [] : [`version ${version}`]), ...(detail === undefined ? [] : [detail])].join(", ");
}

function describe(looked: Awaited<ReturnType<Look>>): Omit<RuntimePart, "name"> {
  if ("detail" in looked) return { isReady: true, detail: looked.detail };
  const { failure } = looked;
  return { isReady: false, detail: failure instanceof TwelveError ? reasonOf(failure) : failure instanceof Error ? failure.message : String(failure), failure };
}

/** With what to do where that is a command to paste. */
function reasonOf(failure: TwelveError): string {
  return failure.fix.includes("`twelve ") ? `${summaryOf(failure)}. ${failure.fix}` : summaryOf(failure);
}
