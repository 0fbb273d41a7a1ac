import type { Build } from "../../build/schema.ts";
import { shortDigest } from "../../core/descriptor.ts";
import type { Message } from "../../ports/model.ts";
import type { CompiledPrompt } from "../../prompt/schema.ts";
import { promptTitle } from "../../prompt/schema.ts";
import type { FoundRelease } from "../../release/read.ts";
import type { RetrievedChunk } from "../../retrieval/schema.ts";
import { type AgentPlan, planAgent } from "../plan.ts";
import type { Answer } from "../schema.ts";
import type { AgentView, AnswerView, CallView, ChunkView, ReleaseView, Setting, Variable } from "./schema.ts";

/** What decides a release's answers, flat, so that two releases can be laid side by side. */
export function viewRelease({ number, release, releaseDescriptor }: FoundRelease, build: Build): ReleaseView {
  const agents = Object.keys(release.agents).map((name) => planAgent(name, release, build));
  const { commit, dirty } = build.source;
  return {
    number,
    digest: shortDigest(releaseDescriptor.digest),
    agents: agents.map((agent) => viewAgent(agent, release.agents[agent.name]?.description, build.manifest.tools)),
    settings: [
      ...agents.flatMap((agent) => agentSettings(agent, release.agents[agent.name])),
      ...Object.entries(release.indexes).map(([name, { digest }]) => ({ group: `index ${name}`, name: "digest", value: shortDigest(digest) })),
      ...Object.entries(release.config).map(([key, { value }]) => ({ group: "configuration", name: key, value: value === null || value === "" ? "unset" : String(value) })),
      { group: "build", name: "digest", value: shortDigest(release.build.digest) },
      { group: "build", name: "commit", value: `${commit?.slice(0, 7) ?? "none"}${dirty ? " with changes" : ""}` },
    ],
  };
}

function agentSettings({ name: agent, prompt, models }: AgentPlan, declared: object | undefined): readonly Setting[] {
  const group = `agent ${agent}`;
  // The prompt stands first with its variant and text, and the chain of models as one; what else there is, is told as it is declared.
  const others = Object.entries(declared ?? {}).filter(([key]) => !["prompt", "variant", "model", "description"].includes(key));
  return [
    { group, name: "prompt", value: `${promptTitle(prompt)} ${shortDigest(prompt.digest)}` },
    { group, name: "model", value: models.join(", then ") },
    ...others.flatMap(([key, value]) => flatten(key, value)).map(([name, value]) => ({ group, name, value })),
  ];
}

function flatten(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, below]) => flatten(`${path}.${key}`, below));
}

function viewAgent({ name, prompt, tools }: AgentPlan, description: string | undefined, declared: Build["manifest"]["tools"]): AgentView {
  return { name, description: description ?? null, prompt: promptTitle(prompt), variables: variablesOf(prompt), tools: tools.map((tool) => ({ name: tool, isRepeatable: declared[tool]?.idempotent ?? false })) };
}

const filledByTwelve = new Set(["question", "passages", "history"]);

function variablesOf({ input: { schema, default: defaults } }: CompiledPrompt): readonly Variable[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { readonly properties?: Record<string, { readonly type?: unknown; readonly description?: string }>; readonly required?: readonly string[] };
  const variables = Object.entries(properties).filter(([name]) => !filledByTwelve.has(name)).map(([name, { type, description }]) => ({
    name,
    description: description ?? null,
    isText: [type].flat().includes("string"),
    isRequired: required.includes(name) && !Object.hasOwn(defaults, name),
  }));
  return variables.toSorted((left, right) => Number(right.isRequired) - Number(left.isRequired));
}

export function viewChunk({ number, id, document, headings, text, score, scores }: RetrievedChunk): ChunkView {
  return { number, id, document, headings, text, score, scores };
}

export function viewAnswer({ finishReason, usage, model, reference, citations, latencyMs, timeToFirstTokenMs, costUsd, toolCalls, made = [] }: Answer): AnswerView {
  return { finishReason, usage, model, reference, cited: citations.map(({ number }) => number), latencyMs, timeToFirstTokenMs, costUsd, toolCalls: toolCalls.map(({ name }) => name), calls: callsIn(made) };
}

/** Results answer the calls before them, by the model's own IDs, which may come again in a later step. */
function callsIn(made: readonly Message[]): readonly CallView[] {
  return made.flatMap(({ toolCalls = [] }, position) => {
    const next = made.findIndex(({ role }, at) => at > position && role !== "tool");
    const results = made.slice(position + 1, next === -1 ? undefined : next);
    return toolCalls.map(({ id, name, arguments: given }) => {
      const result = results.find(({ toolCallId }) => toolCallId === id);
      return { tool: name, given, result: result?.content ?? null, isError: result?.isError ?? false };
    });
  });
}
