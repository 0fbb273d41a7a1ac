import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { codeFolder } from "../code/folder.ts";
import { layOutCode } from "../code/layout.ts";
import { readProcessConfig, readSecrets } from "../config/read.ts";
import { readVectorUrls } from "../config/vectors.ts";
import { TwelveError } from "../core/errors.ts";
import type { Waiting } from "../core/patience.ts";
import { withoutCredentials } from "../core/url.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { ServerSettings } from "../manifest/server.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Model } from "../ports/model.ts";
import type { Activation } from "../release/schema.ts";
import { answerTurn } from "./agent/answer-turn.ts";
import type { ToolAgents } from "./agent/open.ts";
import type { KeepingRuns } from "./agent/runtime.ts";
import type { RunWaitingEvent, ToolCallEvent } from "./agent/schema.ts";
import { answerRequest, type OpenAgent } from "./answer.ts";
import { refuseDrift } from "./drift.ts";
import { prepareMessages } from "./message.ts";
import { type Patience, tellFallbacks } from "./fallback.ts";
import { partChecks, type RuntimePart } from "./health.ts";
import { type ReleaseToRun, releaseName } from "./named.ts";
import { mayPass } from "./passing.ts";
import { type AgentPlan, planMock, planRun, unknownAgent } from "./plan.ts";
import { offerRetrieval } from "./retrieve.ts";
import { ignoredSampling } from "../prompt/sampling.ts";
import { promptTitle } from "../prompt/schema.ts";
import { openRetriever, type Retriever } from "../retrieval/read.ts";
import { type Kept, openKept } from "./kept.ts";
import type { ModelCallEvent, Runtime } from "./schema.ts";

export interface RuntimeOptions {
  readonly release: ReleaseToRun;
  /** Where it runs, for the log; null outside every environment. */
  readonly environment: string | null;
  /** What the environment attaches; a process then also needs every secret, and what it lacks is said before it starts. */
  readonly attachments?: Activation["attachments"] | undefined;
  /** What the release was activated with, where that is known and secrets may be missing. */
  readonly attached?: Activation["attachments"] | undefined;
  /** The agents to open; all of the release by default. */
  readonly agents?: readonly string[];
  /** Takes the event of each model call. */
  readonly emit: (event: ModelCallEvent) => void;
  /** Whether events carry the scrubbed answer. */
  readonly isContentLogged?: boolean | undefined;
  /** Nothing that costs or is elsewhere is opened: no secrets, no embedder, no reranker, no vector service. Indexes are searched by their words. */
  readonly isMock?: boolean | undefined;
  /** How long a model is asked again; as somebody waits who wants the answer, by default. */
  readonly patience?: Patience | undefined;
  /** For a process that keeps the runs of agents with tools; without it they end with the process. */
  readonly runs?: KeepingRuns;
  /** Takes the event of each tool call. */
  readonly onToolCall?: ((event: ToolCallEvent | RunWaitingEvent) => void) | undefined;
  /** Told how the release and the environment configure a server, before anything is opened; what it throws is what opening fails with. */
  readonly onConfigured?: (server: ServerSettings, secrets: Environment) => void;
  /** Told which part could not be opened, before the whole fails. */
  readonly onPartFailed?: (part: string, failure: unknown) => void;
}

export interface OpenedRuntime extends Runtime {
  /** The agents that have tools, if there are any. */
  readonly toolAgents?: ToolAgents | undefined;
  /** Looks at every part again. */
  check(): Promise<readonly RuntimePart[]>;
  /** What outlives the process, in the state service. */
  kept(): Kept;
}

/**
 * Opens a release for answering: checks that the process environment agrees with it, lays out its code and indexes with
 * every digest verified, makes sure of the embedder, and opens the models. `run` and `eval` answer by the same path.
 * Fails with CONFIG_DRIFTED, CONFIG_INVALID, EMBEDDER_DRIFTED, AGENT_UNKNOWN, PROMPT_UNKNOWN, SERVICE_UNSUPPORTED, or as the store does.
 */
export async function openRuntime(context: Context & Pick<Waiting, "patience">, options: RuntimeOptions): Promise<OpenedRuntime> {
  const { release, environment } = options;
  const store = await context.store();
  const build = await readDocument(store, buildKind, release.release.build);
  refuseDrift({ release: release.release, name: releaseName(release), environment, declarations: build.manifest.config, env: context.env });
  const telling = <Result>(part: string, work: Promise<Result>): Promise<Result> => work.catch((failure: unknown) => tellFailed(part, failure, options));
  const secrets = await telling("configuration", secretsFor(context, build.manifest, options));
  options.onConfigured?.(build.manifest.server, secrets);
  const planned = planRun(release.release, build, options.agents);
  const plan = options.isMock === true ? planMock(planned) : planned;
  const vectors = environment === null || options.isMock === true ? {} : await readVectorUrls(context, build.manifest, plan.indexes.map(({ name }) => name), { environment, attachments: options.attached ?? options.attachments });

  const folder = codeFolder(context.dir, build.code);
  const opening = plan.indexes.map((index) => telling(`index ${index.name}`, openRetriever(context, { ...index, vectors: vectors[index.name] }, secrets)));
  const wanted = options.isMock === true ? opening.map((work) => work.catch((failure: unknown) => tellMissing(context, failure))) : opening;
  // What a model's reference names a file for, is in the code.
  const openingModels = layOutCode(store, build.code, folder).then(() => openModels(context, plan.models, { secrets, folder }));
  const [retrievers, models] = await Promise.all([settle(wanted), openingModels]);
  const opened = await openAgents(plan.agents, { options, retrievers, models });
  for (const warning of opened.flatMap(ignoredSettings)) context.story.warn(warning);
  const { patience } = options;
  const answering = { clock: context.clock, emit: options.emit, onAnswer: tellFallbacks(context.story, context.clock), ...(patience === undefined ? {} : { patience }) };
  const agents = new Map(opened.map((agent) => [agent.plan.name, agent]));
  const kept = openKept(context, { release: release.release, manifest: build.manifest, environment, attachments: options.attached ?? options.attachments ?? {}, secrets, agents: [...agents.keys()] });
  const openTools = async (): Promise<ToolAgents> =>
    (await import("./agent/runtime.ts")).openToolAgentsOf(context, { options, manifest: build.manifest, agents: opened, answering, folder, secrets, keepLate: (turn) => kept.keepLate(turn), openOther: (other) => openRuntime(context, other) });
  const hasTools = opened.some((agent) => agent.plan.tools.length > 0);
  const toolAgents = hasTools ? await closingOnFailure(retrievers, telling("tools", openTools())) : undefined;
  return {
    ...offerRetrieval(plan.agents, retrievers),
    agents: [...agents.keys()],
    answer(request) {
      const agent = agents.get(request.agent);
      if (agent === undefined) throw unknownAgent(request.agent, [...agents.keys()]);
      if (toolAgents?.has(request.agent) === true) return answerTurn(toolAgents, kept, request);
      return kept.answer(request, (turn) => answerRequest(agent, turn, answering));
    },
    kept: () => kept,
    check: partChecks({ release: releaseName(release), state: kept.hasConversations ? kept.service : undefined, retrievers, models, chains: plan.agents.map(({ models }) => models), others: toolAgents?.services ?? [], nowMs: () => context.clock.monotonicMs() }),
    toolAgents,
    async close() {
      await toolAgents?.close();
      closeAll(retrievers);
      await kept.service.close();
    },
  };
}

/** What an agent sets and one of its models will not be told. */
function ignoredSettings({ plan: { name, sampling }, models }: OpenAgent): readonly string[] {
  return models.flatMap(({ reference, model }) => ignoredSampling(name, sampling, { reference: withoutCredentials(reference), model }) ?? []);
}

/** Outside every environment there is only the process environment, which every adapter looks at anyway. */
async function secretsFor(context: Context, manifest: Manifest, { environment, attachments, release, isMock }: Pick<RuntimeOptions, "environment" | "attachments" | "release" | "isMock">): Promise<Readonly<Record<string, string>>> {
  if (environment === null || isMock === true) return {};
  const secrets = release.activation?.secrets;
  if (attachments === undefined) return readSecrets(context, manifest, environment, secrets);
  return (await readProcessConfig(context, manifest, { environment, attachments, secrets })).secrets;
}

async function closingOnFailure<Result>(retrievers: readonly Retriever[], work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    closeAll(retrievers);
    throw error;
  }
}

function tellFailed(part: string, failure: unknown, { onPartFailed }: RuntimeOptions): never {
  onPartFailed?.(part, failure);
  throw failure;
}

/** A mock answers without what is not there. */
function tellMissing({ story }: Pick<Context, "story">, failure: unknown): undefined {
  if (!(failure instanceof TwelveError)) throw failure;
  story.warn(`${failure.message}: the mock retrieves nothing from it`);
}

/** All or none: when one cannot be opened, those that were are closed again. */
async function settle(opening: readonly Promise<Retriever | undefined>[]): Promise<readonly Retriever[]> {
  const settled = await Promise.allSettled(opening);
  const allFailed = settled.filter((result) => result.status === "rejected");
  // What stays wrong is told before what may pass.
  const failed = allFailed.find(({ reason }) => !mayPass(reason)) ?? allFailed[0];
  const opened = settled.flatMap((result) => (result.status === "fulfilled" && result.value !== undefined ? [result.value] : []));
  if (failed === undefined) return opened;
  closeAll(opened);
  throw failed.reason;
}

function closeAll(retrievers: readonly Retriever[]): void {
  for (const retriever of retrievers) retriever.close();
}

async function openModels(context: Context, references: readonly string[], { secrets, folder }: { readonly secrets: Environment; readonly folder: string }): Promise<ReadonlyMap<string, Model>> {
  return new Map(await Promise.all(references.map(async (reference) => [reference, await context.openModel(reference, secrets, folder)] as const)));
}

interface Opened {
  readonly options: RuntimeOptions;
  readonly retrievers: readonly Retriever[];
  readonly models: ReadonlyMap<string, Model>;
}

async function openAgents(plans: readonly AgentPlan[], opened: Opened): Promise<readonly OpenAgent[]> {
  try {
    return await Promise.all(plans.map((plan) => openAgent(plan, opened).catch((failure: unknown) => tellFailed(`agent ${plan.name}`, failure, opened.options))));
  } catch (error) {
    closeAll(opened.retrievers);
    throw error;
  }
}

async function openAgent(plan: AgentPlan, { options, retrievers, models }: Opened): Promise<OpenAgent> {
  const { retrieve } = plan;
  const retriever = retrieve === undefined ? undefined : retrievers.find(({ name }) => name === retrieve.index);
  const candidates = plan.models.flatMap((reference) => {
    const model = models.get(reference);
    return model === undefined ? [] : [{ reference, model }];
  });
  const [first] = candidates;
  if (first === undefined) throw new Error(`No model of ${plan.name} was opened`);
  return {
    plan,
    models: candidates,
    render: prepareMessages(plan.prompt, retrieve !== undefined),
    search: retrieve === undefined ? undefined : await retriever?.prepare(retrieve),
    frame: {
      app: options.release.release.app,
      environment: options.environment,
      releaseNumber: options.release.number,
      releaseDigest: options.release.releaseDescriptor.digest,
      agent: plan.name,
      promptName: promptTitle(plan.prompt),
      promptDigest: plan.prompt.digest,
      model: first,
      index: retriever?.digest ?? null,
      isContentLogged: options.isContentLogged === true,
    },
  };
}
