import { TwelveError } from "../../../core/errors.ts";
import { firstTokens } from "../../../core/tokens.ts";
import type { FinishReason, Model, ModelChunk, ModelRequest, ToolCall, Usage } from "../../../ports/model.ts";
import { type Pace, pause, think } from "./pace.ts";
import { findAnswer, readScript, turnOf } from "./script.ts";
import { type Fail, isPassing, type Script, type ScriptedAnswer, type ScriptedCode } from "./script-schema.ts";
import { questionOf, usageOf, wordedFor, wordsOf } from "./words.ts";

/** A model that answers as `file` in `dir` says. Fails with SCRIPT_INVALID. */
export async function openScript(file: string, dir: string): Promise<Model> {
  const script = await readScript(file, dir);
  const failed = new Map<ScriptedAnswer, number>();
  return {
    provider: "mock",
    id: `script:${file}`,
    check: () => Promise.resolve({ version: null, detail: script.replies.length === 1 ? "1 reply" : `${script.replies.length} replies` }),
    generate: (request) => generate(request, { file, script, failed }),
  };
}

interface Opened {
  readonly file: string;
  readonly script: Script;
  /** How often each answer has failed so far; the only thing that calls share. */
  readonly failed: Map<ScriptedAnswer, number>;
}

async function* generate(request: ModelRequest, { file, script, failed }: Opened): AsyncGenerator<ModelChunk> {
  const { signal, messages } = request;
  signal?.throwIfAborted();
  const answer = findAnswer(script, request);
  if (answer === undefined) throw noAnswer(file, request);
  const pace: Pace = { latencyMs: answer.latencyMs ?? script.latencyMs, msPerToken: answer.msPerToken ?? script.msPerToken };
  const fail = dueFailure(answer, failed);
  await think(pace, signal);
  const { say = "", think: reasoning } = answer;
  if (fail !== undefined) {
    if (fail.afterTokens !== undefined) yield* speak(firstTokens(say, fail.afterTokens), pace, signal);
    throw failureOf(fail, file);
  }
  if (reasoning !== undefined) yield { type: "reasoning", text: reasoning };
  const worded = say === "" ? { text: "", finishReason: "stop" as const } : wordedFor(request, say);
  yield* speak(worded.text, pace, signal);
  const calls = callsOf(answer, turnOf(messages));
  for (const call of calls) yield { type: "tool_call", call };
  const spoken = [reasoning, worded.text, ...calls.map((call) => call.name + call.arguments)].join("");
  yield { type: "end", finishReason: finishOf(answer, worded.finishReason), usage: reportedUsage(answer, usageOf(messages, spoken)), model: script.model ?? `script:${file}` };
}

/** The text word by word. */
async function* speak(text: string, { msPerToken = 0 }: Pace, signal: AbortSignal | undefined): AsyncGenerator<ModelChunk> {
  for (const word of wordsOf(text)) {
    signal?.throwIfAborted();
    yield { type: "text", text: word };
    if (msPerToken > 0) await pause(word, msPerToken, signal);
  }
  signal?.throwIfAborted();
}

/** The failure of this call, unless the answer has failed often enough. */
function dueFailure(answer: ScriptedAnswer, failed: Map<ScriptedAnswer, number>): Fail | undefined {
  const { fail } = answer;
  if (fail?.times === undefined) return fail;
  const before = failed.get(answer) ?? 0;
  if (before >= fail.times) return undefined;
  failed.set(answer, before + 1);
  return fail;
}

const codeOfStatus: Readonly<Record<number, ScriptedCode>> = {
  401: "SERVICE_UNAUTHENTICATED",
  402: "SERVICE_QUOTA",
  403: "SERVICE_DENIED",
  404: "SERVICE_NOT_FOUND",
  408: "SERVICE_TIMEOUT",
  410: "SERVICE_NOT_FOUND",
  429: "SERVICE_LIMITED",
  504: "SERVICE_TIMEOUT",
};

function failureOf({ code: named, status, message, retryAfterMs }: Fail, file: string): TwelveError {
  const code = named ?? codeOfStatus[status ?? 0] ?? ((status ?? 0) < 500 ? "SERVICE_REJECTED" : "SERVICE_UNAVAILABLE");
  const what = `mock:script:${file} answered${status === undefined ? "" : ` ${status}`}: ${message ?? "its script says so"}`;
  return new TwelveError(code, what, isPassing(code) || retryAfterMs !== undefined ? { retry: { afterMs: retryAfterMs ?? null } } : {});
}

function noAnswer(file: string, request: ModelRequest): TwelveError {
  const turn = turnOf(request.messages);
  return new TwelveError("SERVICE_REJECTED", `The script ${file} has no reply to "${questionOf(request).slice(0, 80)}" at turn ${turn}`, { fix: `Add a reply to ${file}; one without \`when\`, as the last, fits everything` });
}

function callsOf({ callTools = [] }: ScriptedAnswer, turn: number): readonly ToolCall[] {
  return callTools.map(({ id, name, arguments: given }, index) => ({ id: id ?? `call_${turn}_${index + 1}`, name, arguments: typeof given === "string" ? given : JSON.stringify(given) }));
}

/** What was cut at the request's own limit says so; else the script decides. */
function finishOf({ finish, callTools }: ScriptedAnswer, worded: FinishReason): FinishReason {
  if (worded === "length") return worded;
  return finish ?? (callTools === undefined ? "stop" : "tool_calls");
}

function reportedUsage({ usage = {} }: ScriptedAnswer, counted: Usage): Usage {
  return {
    inputTokens: usage.inputTokens ?? counted.inputTokens,
    outputTokens: usage.outputTokens ?? counted.outputTokens,
    cachedInputTokens: usage.cachedInputTokens ?? counted.cachedInputTokens,
  };
}
