import { setImmediate as nextTurn } from "node:timers/promises";
import { TwelveError } from "../core/errors.ts";
import { wait } from "../core/patience.ts";
import { firstTokens } from "../core/tokens.ts";
import type { FinishReason, Model, ModelChunk, ModelRequest, Usage } from "../ports/model.ts";
import type { VectorHit } from "../ports/vectors.ts";
import { callsOf, partsOf, type Piece, toPieces } from "./call.ts";
import { type Facts, factsOf } from "./facts.ts";
import { failureOf } from "./fail.ts";
import { type Counts, findAnswer, nearestReplies } from "./match.ts";
import { type Pace, pause, think } from "./pace.ts";
import type { Fail, Script, ScriptedAnswer, ScriptedPassage } from "./schema.ts";
import { usageOf, wordedFor, wordsOf } from "./words.ts";

export interface Scripted {
  readonly script: Script;
  /** Of the file, as messages name it. */
  readonly file: string;
}

/** A model that answers by a script, and can begin anew with its counts. */
export interface ScriptModel extends Model {
  reset(): void;
}

export function openScriptModel({ script, file }: Scripted): ScriptModel {
  const failed = new Map<ScriptedAnswer, number>();
  const counts: Counts = new Map();
  return {
    provider: "mock",
    id: `script:${file}`,
    check: () => Promise.resolve({ version: null, detail: script.replies.length === 1 ? "1 reply" : `${script.replies.length} replies` }),
    generate: (request) => generate(request, { file, script, failed, counts }),
    reset() {
      failed.clear();
      counts.clear();
    },
  };
}

interface Opened extends Scripted {
  /** How often each answer has failed so far; with `counts` the only thing that calls share. */
  readonly failed: Map<ScriptedAnswer, number>;
  readonly counts: Counts;
}

async function* generate(request: ModelRequest, { file, script, failed, counts }: Opened): AsyncGenerator<ModelChunk> {
  const { signal, messages } = request;
  signal?.throwIfAborted();
  const facts = factsOf(request);
  const answer = findAnswer(script, facts, counts);
  if (answer === undefined) throw noAnswer(file, script, facts);
  const pace: Pace = { latencyMs: answer.latencyMs ?? script.latencyMs, msPerChunk: answer.msPerChunk ?? script.msPerChunk, msPerToken: answer.msPerToken ?? script.msPerToken };
  const fail = dueFailure(answer, failed);
  await think(pace, signal);
  const { texts, finishReason } = piecesOf(answer, request);
  const calls = callsOf(answer, facts.turn, request);
  const pieces = [...texts, ...(request.isCallStreamed === true ? calls.flatMap(partsOf) : [])];
  if (fail !== undefined) {
    yield* speak(piecesBefore(fail, { texts, pieces }), pace, signal);
    if (fail.hang === true) await untilGone(signal);
    // What was said must have left when the connection breaks off.
    if (fail.reset === true) await nextTurn();
    throw failureOf(fail, `mock:script:${file}`);
  }
  const { think: reasoning } = answer;
  if (reasoning !== undefined) yield { type: "reasoning", text: reasoning };
  yield* speak(pieces, pace, signal);
  for (const { call } of calls) yield { type: "tool_call", call };
  const spoken = [reasoning, ...texts.map(({ text }) => text), ...calls.map(({ call }) => call.name + call.arguments)].join("");
  const passages = (answer.passages ?? script.passages)?.map(toHit);
  yield {
    type: "end",
    finishReason: finishOf(answer, finishReason),
    usage: reportedUsage(answer, usageOf(messages, spoken)),
    model: script.model ?? `script:${file}`,
    ...(passages === undefined ? {} : { passages }),
  };
}

/** The text of an answer as it is streamed: in the pieces that are written down, unless the request wants it cut or worded otherwise. */
function piecesOf({ say, json, chunks = [] }: ScriptedAnswer, request: ModelRequest): { readonly texts: readonly Piece[]; readonly finishReason: FinishReason } {
  const written = toPieces(chunks);
  const text = json === undefined ? (say ?? written.map((piece) => piece.text).join("")) : JSON.stringify(json);
  if (text === "") return { texts: written, finishReason: "stop" };
  const worded = wordedFor(request, text);
  if (written.length > 0 && worded.text === text) return { texts: written, finishReason: worded.finishReason };
  return { texts: wordsOf(worded.text).map((word) => ({ text: word })), finishReason: worded.finishReason };
}

function piecesBefore({ afterTokens, afterChunks = 0 }: Fail, { texts, pieces }: { readonly texts: readonly Piece[]; readonly pieces: readonly Piece[] }): readonly Piece[] {
  if (afterTokens === undefined) return pieces.slice(0, afterChunks);
  return wordsOf(firstTokens(texts.map(({ text }) => text).join(""), afterTokens)).map((text) => ({ text }));
}

async function* speak(pieces: readonly Piece[], pace: Pace, signal: AbortSignal | undefined): AsyncGenerator<ModelChunk> {
  for (const { text, afterMs = 0, call } of pieces) {
    if (afterMs > 0) await wait(afterMs, signal);
    signal?.throwIfAborted();
    yield call === undefined ? { type: "text", text } : { type: "call_part", ...call, arguments: text };
    await pause(text, pace, signal);
  }
  signal?.throwIfAborted();
}

const dayMs = 86_400_000;

/** As long as nobody goes away, somebody may still wait. */
async function untilGone(signal: AbortSignal | undefined): Promise<void> {
  for (;;) await wait(dayMs, signal);
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

function noAnswer(file: string, script: Script, facts: Facts): TwelveError {
  const problems = nearestReplies(script, facts).map((message) => ({ message }));
  return new TwelveError("SERVICE_REJECTED", `The script ${file} has no reply to "${facts.question.slice(0, 80)}" at turn ${facts.turn}`, { problems, fix: `Add a reply to ${file}; one without \`when\`, as the last, fits everything` });
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

export function toHit({ id, document, headings, text, metadata, score }: ScriptedPassage, position: number): VectorHit {
  return { id: id ?? `${document}#${position + 1}`, document, headings, text, metadata, score };
}
