import { setTimeout as sleep } from "node:timers/promises";
import { digestOf } from "../../core/descriptor.ts";
import type { ScriptedTool } from "../../mock/schema.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Model } from "../../ports/model.ts";
import type { RunEngine } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";
import type { OpenTool } from "../../ports/tool.ts";
import { openToolAgents, type ToolAgents } from "../agent/open.ts";
import type { OpenAgent } from "../answer.ts";
import type { LateTurn } from "../session/late-turn.ts";

interface Playing {
  readonly names: readonly string[];
  readonly tools: Readonly<Record<string, ScriptedTool>>;
  readonly model: Model;
  readonly engine: RunEngine;
  readonly clock: Clock;
  readonly story: Pick<Story, "note" | "warn">;
  readonly keepLate: (turn: LateTurn) => Promise<void>;
}

const concurrency = 64;

/** Agents that run in the same loop as those of a release, with a script in the place of their model and their tools. */
export function openMockAgents({ names, tools, model, engine, clock, story, keepLate }: Playing): ToolAgents {
  const played = Object.entries(tools).map(([name, tool]) => openTool(name, tool));
  const agents = names.map((name) => [name, { agent: agentOf(name, model, Object.keys(tools)), tools: () => played }] as const);
  return openToolAgents({
    release: digestOf("mock"),
    agents: new Map(agents),
    // A failure that is played is played once: it is for the caller to ask again.
    answering: { clock, emit: () => {}, patience: { attempts: 1, totalMs: 0 } },
    onToolCall: () => {},
    story,
    keepLate,
    durable: { engine, kind: "mock", works: true, concurrency },
    openOther: () => Promise.reject(new Error("A mock has one release")),
  });
}

/** The model is given the caller's own messages, and nothing else. */
function agentOf(name: string, model: Model, tools: readonly string[]): OpenAgent {
  const first = { reference: `mock:${model.id}`, model };
  const digest = digestOf("mock");
  return {
    plan: {
      name,
      prompt: { name: "mock", variant: null, path: "", model: null, config: {}, input: { schema: null, default: {} }, output: { format: "text", schema: null }, template: "", partials: {}, metadata: {}, digest },
      models: [first.reference],
      sampling: {},
      retrieve: undefined,
      tools,
      limits: {},
    },
    models: [first],
    render: ({ system, history, question, images, after = [] }) => [...system, ...history, { role: "user", content: question, ...(images === undefined ? {} : { images }) }, ...after],
    search: undefined,
    frame: { app: "mock", environment: null, releaseNumber: null, releaseDigest: digest, agent: name, promptName: "mock", promptDigest: digest, model: first, index: null, isContentLogged: false },
  };
}

function openTool(name: string, { result, isError, approve, idempotent, latencyMs }: ScriptedTool): OpenTool {
  return {
    name,
    parameters: { type: "object" },
    isIdempotent: idempotent,
    needsApproval: approve,
    async call(_given, { signal }) {
      if (latencyMs > 0) await sleep(latencyMs, undefined, { signal });
      return { content: typeof result === "string" ? result : JSON.stringify(result), isError };
    },
  };
}
