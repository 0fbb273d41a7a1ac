import { digestOf } from "../../src/core/descriptor.ts";
import { type AgentSettings, Manifest } from "../../src/manifest/schema.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Message, Model, ModelChunk, ModelRequest, ToolCall } from "../../src/ports/model.ts";
import type { SessionStore } from "../../src/ports/session.ts";
import { answerRequest, type OpenAgent } from "../../src/run/answer.ts";
import type { OpenedRuntime } from "../../src/run/apply.ts";
import { type Kept, openKept } from "../../src/run/kept.ts";
import { unknownAgent } from "../../src/run/plan.ts";
import type { RetrievedChunk } from "../../src/retrieval/schema.ts";
import type { AnswerRequest, ModelCallEvent } from "../../src/run/schema.ts";
import { fixedClock } from "../helpers/context.ts";
import { openMemorySessions } from "../helpers/memory-sessions.ts";

const usage = { inputTokens: 12, outputTokens: 3, cachedInputTokens: 4 };

/** A model that says what the test wants, and remembers what it was asked. */
export function scriptedModel(script: (request: ModelRequest) => AsyncIterable<ModelChunk> | Iterable<ModelChunk>): Model & { readonly asked: ModelRequest[] } {
  const asked: ModelRequest[] = [];
  return {
    provider: "scripted",
    id: "parrot-1",
    asked,
    check: () => Promise.resolve({ version: null }),
    async *generate(request) {
      asked.push(request);
      yield* script(request);
    },
  };
}

/** Says each text, then ends as a provider does. */
export function* says(...texts: readonly string[]): Generator<ModelChunk> {
  for (const text of texts) yield { type: "text", text };
  yield { type: "end", finishReason: "stop", usage, model: "parrot-1-2026", responseId: "r-1" };
}

/** Wants these called, and says nothing else. */
export function* wants(...calls: readonly ToolCall[]): Generator<ModelChunk> {
  for (const call of calls) yield { type: "tool_call", call };
  yield { type: "end", finishReason: "tool_calls", usage, model: "parrot-1-2026", responseId: "r-1" };
}

/** Says one text and then nothing until it is aborted. */
export async function* saysAndHangs(text: string, { signal }: ModelRequest): AsyncGenerator<ModelChunk> {
  yield { type: "text", text };
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
  signal?.throwIfAborted();
}

export const chunks: readonly RetrievedChunk[] = [
  { number: 1, id: "c-1", document: "docs/limits.md", headings: "Limits", text: "The body limit is 1 MiB.", metadata: {}, score: 0.9, scores: {} },
  { number: 2, id: "c-2", document: "docs/ports.md", headings: "Ports", text: "The port is 3000.", metadata: {}, score: 0.5, scores: {} },
];

/** Of an agent that asks these models one after the other, each under its provider and ID. */
export function candidates(...models: readonly Model[]): Pick<OpenAgent, "models"> {
  return { models: models.map((model) => ({ reference: `${model.provider}:${model.id}`, model })) };
}

export function openAgent(model: Model, change: Partial<OpenAgent> = {}): OpenAgent {
  return {
    plan: {
      name: "support",
      prompt: { name: "answer", variant: null, path: "prompts/answer.prompt", model: null, config: {}, input: { schema: null, default: {} }, output: { format: "text", schema: null }, template: "", partials: {}, metadata: {}, digest: digestOf("prompt") },
      models: ["scripted:parrot-1"],
      sampling: { temperature: 0.2 },
      retrieve: { index: "docs", topK: 2, mode: "hybrid" },
      tools: [],
      limits: {},
    },
    ...candidates(model),
    render: ({ question, name, images, history, system, after = [] }): readonly Message[] => [{ role: "system", content: "Be brief." }, ...system, ...history, { role: "user", ...(name === undefined ? {} : { name }), content: question, ...(images === undefined ? {} : { images }) }, ...after],
    search: () => Promise.resolve(chunks),
    frame: {
      app: "demo",
      environment: "staging",
      releaseNumber: 3,
      releaseDigest: digestOf("release"),
      agent: "support",
      promptName: "answer",
      promptDigest: digestOf("prompt"),
      model: { reference: "scripted:parrot-1", model },
      index: digestOf("index"),
      isContentLogged: false,
    },
    ...change,
  };
}

export interface FakeRuntime extends OpenedRuntime {
  readonly events: ModelCallEvent[];
  /** What it was asked, newest last. */
  readonly requests: AnswerRequest[];
}

export interface KeepingOptions {
  readonly clock?: Clock;
  readonly sessions?: SessionStore;
  readonly session?: AgentSettings["session"];
  readonly contextTokens?: number;
  /** How long a turn waits for those before it. */
  readonly waitMs?: number;
}

/** What the runtime of the agent `support` keeps, in a store of the test's own by default. */
export function keeping({ clock = fixedClock(), sessions = openMemorySessions(), session = true, contextTokens, waitMs }: KeepingOptions = {}): Kept {
  const story = { note: () => {}, warn: () => {}, progress: () => ({ update: () => {}, done: () => {}, stop: () => {} }) };
  return openKept({ clock, env: { STATE_URL: "redis://fake" }, story, openConfig: () => Promise.reject(new Error("No configuration")), openSessions: () => Promise.resolve(sessions) }, {
    release: { app: "demo", agents: { support: { prompt: "answer", model: "scripted:parrot-1", session, ...(contextTokens === undefined ? {} : { contextTokens }) } } },
    manifest: Manifest.parse({ name: "demo", environments: { staging: {} } }),
    environment: "staging",
    attachments: {},
    secrets: {},
    agents: ["support"],
    ...(waitMs === undefined ? {} : { pace: { waitMs } }),
  });
}

/** A runtime with the one agent `support`. */
export function runtimeOf(agent: OpenAgent, clock: Clock = fixedClock(), kept: Kept = keeping({ clock })): FakeRuntime {
  const events: ModelCallEvent[] = [];
  const requests: AnswerRequest[] = [];
  return {
    events,
    requests,
    agents: ["support"],
    indexes: ["docs"],
    answer(request: AnswerRequest) {
      requests.push(request);
      if (request.agent !== "support") throw unknownAgent(request.agent, ["support"]);
      return kept.answer(request, (turn) => answerRequest(agent, turn, { clock, emit: (event) => events.push(event) }));
    },
    kept: () => kept,
    search: ({ question, signal }) => Promise.resolve({ index: { name: "docs", digest: digestOf("index"), documents: 2, chunks: 2 }, agent: "support", settings: { topK: 2, mode: "hybrid" }, hits: question === "" || signal?.aborted ? [] : chunks }),
    embed: ({ texts }) => Promise.resolve(texts.map((text) => Float32Array.of(text.length, 0.5))),
    check: () => Promise.resolve([{ name: "release", isReady: true, detail: "v3" }]),
    close: () => Promise.resolve(),
  };
}
