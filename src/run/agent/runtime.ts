import { fitForWork, readActivatedStateUrl } from "../../config/state.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Manifest } from "../../manifest/schema.ts";
import type { Context } from "../../ports/context.ts";
import { readRelease } from "../../release/read.ts";
import type { AnswerContext, OpenAgent } from "../answer.ts";
import type { OpenedRuntime, RuntimeOptions } from "../apply.ts";
import { costOf } from "../price.ts";
import type { LateTurn } from "../session/late-turn.ts";
import type { OpenTools } from "../../tool/read.ts";
import { openAgentTools } from "../tools.ts";
import { type DurableRuns, openToolAgents, type ToolAgents } from "./open.ts";
import { runKind } from "./schema.ts";

/** How a process keeps the runs of its agents. */
export interface KeepingRuns {
  /** Whether it works on them; another process of the release does otherwise. */
  readonly works: boolean;
  /** Runs from the queue at a time. */
  readonly concurrency: number;
}

interface Opening {
  readonly options: RuntimeOptions;
  readonly manifest: Manifest;
  readonly agents: readonly OpenAgent[];
  readonly answering: AnswerContext;
  readonly folder: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Keeps the turn of a run that outlived its request. */
  readonly keepLate: (turn: LateTurn) => Promise<void>;
  /** Opens another release in the same way. */
  readonly openOther: (options: RuntimeOptions) => Promise<OpenedRuntime>;
}

/** Opens those of the agents that have tools. Fails with BUDGET_UNKNOWN, or as the tools do. */
export async function openToolAgentsOf(context: Context, opening: Opening): Promise<ToolAgents> {
  const { options, manifest, answering, folder, secrets, openOther, keepLate } = opening;
  const agents = opening.agents.filter(({ plan }) => plan.tools.length > 0);
  for (const agent of agents) refuseUnpriced(agent);
  const { release, environment, attachments } = options;
  const tools = await openAgentTools(context, { release, manifest, environment, attachments, secrets, folder, agents: agents.map(({ plan }) => plan.name), story: options.runs && context.story });
  const durable = await openDurable(context, manifest, options).catch(async (error: unknown) => {
    await tools?.close();
    throw error;
  });
  const opened = openToolAgents({
    release: release.releaseDescriptor.digest,
    agents: new Map(agents.map((agent) => [agent.plan.name, { agent, tools: () => tools?.of(agent.plan.tools) ?? [], away: () => awayOf(agent, tools) }])),
    answering,
    onToolCall: options.onToolCall ?? (() => {}),
    story: context.story,
    durable,
    keepLate,
    async openOther(digest) {
      const other = await readRelease(await context.store(), release.release.app, digest);
      const runtime = await openOther({ ...howToAnswer(options), release: other });
      if (runtime.toolAgents === undefined) throw new TwelveError("AGENT_UNKNOWN", `The release ${digest} has no agent with tools`);
      return { ...runtime.toolAgents, close: () => runtime.close() };
    },
  });
  return {
    ...opened,
    services: [...opened.services, ...(tools?.sources ?? []).map((source) => ({ ...source, isNeeded: false }))],
    async close() {
      await opened.close();
      await tools?.close();
    },
  };
}

/** What another release has in common with this one. Named one by one: that one's settings of a server, or its failures, must never count here. */
function howToAnswer({ environment, attachments, attached, emit, onToolCall, isContentLogged, isMock, patience }: RuntimeOptions): Omit<RuntimeOptions, "release"> {
  return { environment, attachments, attached, emit, onToolCall, isContentLogged, isMock, patience };
}

async function openDurable(context: Context, manifest: Manifest, { runs, environment, attachments, attached }: RuntimeOptions): Promise<DurableRuns | undefined> {
  if (runs === undefined || environment === null) return undefined;
  const { url, other } = await readActivatedStateUrl(context, manifest, { environment, attachments: attached ?? attachments ?? {} });
  if (other !== undefined) context.story.warn(`STATE_URL is ${other} now, but the release was activated with ${url}, and that is where runs are kept. Release or promote again to change it`);
  return { ...runs, engine: await fitForWork(context.openRuns(url)), kind: runKind({ app: manifest.name, environment }) };
}

/** Why is the log's to tell: callers learn that it may be there later. */
function awayOf({ plan }: OpenAgent, tools: OpenTools | undefined): TwelveError | undefined {
  const away = tools?.away(plan.tools);
  return away && new TwelveError("PROCESS_NOT_READY", `The agent ${plan.name} cannot answer yet: its tool ${away.name} is away`, { cause: away.failure, retry: { afterMs: null } });
}

/** A limit that nobody can keep is refused before it is relied on. */
function refuseUnpriced({ plan, models }: OpenAgent): void {
  if (plan.limits.costUsd === undefined) return;
  const unknown = models.filter(({ model }) => costOf(model.provider, model.id, { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 }) === null);
  const [first] = unknown;
  if (first !== undefined) throw new TwelveError("BUDGET_UNKNOWN", `Agent ${plan.name} has limits.costUsd, and no price is known of ${unknown.map(({ reference }) => reference).join(", ")}`);
}
