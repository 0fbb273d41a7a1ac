import type { Json } from "../../../src/core/canonical-json.ts";
import { digestOf } from "../../../src/core/descriptor.ts";
import type { TwelveError } from "../../../src/core/errors.ts";
import type { RunLimits } from "../../../src/manifest/schema.ts";
import type { ModelChunk, ModelRequest } from "../../../src/ports/model.ts";
import type { OpenTool, ToolCallOptions, ToolResult } from "../../../src/ports/tool.ts";
import { openToolAgents, type DurableRuns, type ToolAgents } from "../../../src/run/agent/open.ts";
import type { RunWaitingEvent, ToolCallEvent } from "../../../src/run/agent/schema.ts";
import type { OpenAgent } from "../../../src/run/answer.ts";
import type { LateTurn } from "../../../src/run/session/late-turn.ts";
import type { ModelCallEvent } from "../../../src/run/schema.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { openAgent, scriptedModel } from "../fixture.ts";

type Reply = string | { readonly say?: string; readonly call: readonly (readonly [tool: string, given: string])[] };

/** Answers by how many tool results and earlier answers it has seen, as a real model would: nothing is counted in the process. */
export function replies(...all: readonly Reply[]): (request: ModelRequest) => Generator<ModelChunk> {
  return function* (request) {
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    const reply = all[turn] ?? "no more replies";
    const [text, calls] = typeof reply === "string" ? [reply, []] : [reply.say ?? "", reply.call];
    if (text !== "") yield { type: "text", text };
    for (const [index, [name, given]] of calls.entries()) yield { type: "tool_call", call: { id: `model_${index}`, name, arguments: given } };
    yield { type: "end", finishReason: calls.length === 0 ? "stop" : "tool_calls", usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: 2 }, model: "parrot-1-2026" };
  };
}

export interface FakeTool extends OpenTool {
  readonly calls: { readonly given: Json; readonly options: ToolCallOptions }[];
}

export function fakeTool(name: string, answer: (given: Json, options: ToolCallOptions) => string | Promise<ToolResult>, change: Partial<OpenTool> = {}): FakeTool {
  const calls: FakeTool["calls"] = [];
  return {
    name,
    description: `Does ${name}`,
    parameters: { type: "object", properties: {} },
    isIdempotent: true,
    needsApproval: false,
    calls,
    async call(given, options) {
      calls.push({ given, options });
      const answered = await answer(given, options);
      return typeof answered === "string" ? { content: answered, isError: false } : answered;
    },
    ...change,
  };
}

export interface FakeAgents extends ToolAgents {
  readonly events: ModelCallEvent[];
  readonly toolEvents: ToolCallEvent[];
  readonly waitingEvents: RunWaitingEvent[];
  readonly asked: readonly ModelRequest[];
}

interface FakeOptions {
  readonly tools: readonly OpenTool[];
  readonly limits?: RunLimits;
  readonly durable?: DurableRuns;
  readonly release?: string;
  readonly openOther?: (release: string) => Promise<ToolAgents>;
  readonly away?: () => TwelveError | undefined;
  readonly warn?: (message: string) => void;
  readonly keepLate?: (turn: LateTurn) => Promise<void>;
}

/** The agent `support`, with these tools and a model that says what the test wants. */
export function fakeAgents(script: Parameters<typeof scriptedModel>[0], { tools, limits = {}, durable, release = "release", openOther = () => Promise.reject(new Error("There is no other release")), away = () => undefined, warn = () => {}, keepLate = () => Promise.reject(new Error("There are no sessions")) }: FakeOptions): FakeAgents {
  const model = scriptedModel(script);
  const base = openAgent(model);
  const agent: OpenAgent = {
    ...base,
    plan: { ...base.plan, tools: tools.map(({ name }) => name), limits },
    render: ({ question, history, after = [] }) => [...history, { role: "user", content: question }, ...after],
  };
  const events: ModelCallEvent[] = [];
  const toolEvents: ToolCallEvent[] = [];
  const waitingEvents: RunWaitingEvent[] = [];
  const opened = openToolAgents({
    release: digestOf(release),
    agents: new Map([["support", { agent, tools: () => tools, away }]]),
    answering: { clock: systemClock, emit: (event) => void events.push(event), sleep: () => Promise.resolve() },
    onToolCall: (event) => void (event.event === "run-waiting" ? waitingEvents.push(event) : toolEvents.push(event)),
    story: { note: () => {}, warn },
    durable,
    openOther,
    keepLate,
  });
  return { ...opened, events, toolEvents, waitingEvents, asked: model.asked };
}
