import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { stringify } from "yaml";
import { canonicalJson } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { factsOf } from "../mock/facts.ts";
import { parseScript } from "../mock/read.ts";
import type { ScriptedReply, When } from "../mock/schema.ts";
import type { Context } from "../ports/context.ts";
import type { ToolCall } from "../ports/model.ts";
import { readConversation } from "./conversation.ts";
import type { Answer, AnswerPart, AnswerRequest } from "./schema.ts";
import { scrub } from "../core/scrub.ts";

/** Writes down answers as they pass. */
export interface Recorder {
  follow(request: AnswerRequest, parts: AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart>;
}

const header = "# Recorded by `twelve run --record`; `twelve mock --answers` replays it.\nreplies:\n";

/**
 * Records into `file`, which may hold an earlier recording. An answer is in it before its last part goes out, so that nothing is
 * lost that anybody has seen. Fails with SCRIPT_INVALID for a file that is no recording.
 */
export function openRecorder({ dir, clock }: Pick<Context, "dir" | "clock">, file: string): Recorder {
  const path = resolve(dir, file);
  const known = new Set(openRecording(path, file).map(({ when }) => canonicalJson(when ?? {})));
  return {
    async *follow(request, parts) {
      const pieces: Piece[] = [];
      const callPieces: Piece[][] = [];
      let lastMs = clock.monotonicMs();
      const add = (to: Piece[], text: string): void => {
        if (text === "") return;
        const nowMs = clock.monotonicMs();
        to.push({ text, afterMs: Math.round(nowMs - lastMs) });
        lastMs = nowMs;
      };
      for await (const part of parts) {
        if (part.type === "text") add(pieces, part.text);
        else if (part.type === "call_part") add((callPieces[part.position] ??= []), part.arguments);
        else {
          const when = whenOf(request);
          const key = canonicalJson(when);
          // The first answer to a question stays: equal requests get equal answers.
          if (!known.has(key)) appendFileSync(path, stringify([replyOf(when, { pieces, callPieces }, part.answer)], { lineWidth: 0 }));
          known.add(key);
        }
        yield part;
      }
    },
  };
}

interface Piece {
  readonly text: string;
  readonly afterMs: number;
}

/** What the file holds already; a new one is made where there is none. */
function openRecording(path: string, file: string): readonly ScriptedReply[] {
  try {
    writeFileSync(path, header, { flag: "wx", mode: 0o600 });
    return [];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw new TwelveError("SCRIPT_INVALID", `${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, fix: "Name a file in a folder that is there with `--record`" });
  }
  const text = readFileSync(path, "utf8");
  if (!text.startsWith(header)) throw new TwelveError("SCRIPT_INVALID", `${file} is no recording, and would be damaged by one`, { fix: "Name another file with `--record`" });
  return text === header ? [] : parseScript(text, file).replies;
}

/** The request, as its answer is found again. A session's earlier turns are not known here. */
function whenOf({ agent, messages, session }: AnswerRequest): When {
  const { history: earlier } = readConversation(messages);
  const facts = factsOf({ agent, messages, earlier });
  return {
    agent,
    equals: scrub(facts.question),
    ...(session === undefined ? { turn: facts.turn } : {}),
    ...(earlier.length === 0 ? {} : { earlier: facts.earlier }),
    ...(facts.tool === undefined ? {} : { tool: facts.tool }),
    ...(facts.result === undefined || facts.result === "" ? {} : { result: scrub(facts.result) }),
  };
}

interface Heard {
  readonly pieces: readonly Piece[];
  /** Of the arguments of each call. */
  readonly callPieces: readonly (readonly Piece[])[];
}

function replyOf(when: When, { pieces, callPieces }: Heard, { text, toolCalls, citations, retrieved, finishReason, usage }: Answer): object {
  const scrubbed = scrub(text);
  const [first, ...others] = pieces;
  // What is scrubbed may reach over several pieces.
  const said = first === undefined ? {} : scrubbed !== text ? { latencyMs: first.afterMs, say: scrubbed } : { latencyMs: first.afterMs, chunks: [first.text, ...others.map(chunkOf)] };
  const passages = citations.length === 0 ? undefined : retrieved.map(({ id, document, headings, text: passage, score, metadata }) => ({ document, headings: scrub(headings), text: scrub(passage), id, score, metadata }));
  const isSilent = first === undefined && toolCalls.length === 0;
  return {
    when,
    ...(isSilent ? { say: "" } : said),
    ...(passages === undefined ? {} : { passages }),
    ...(toolCalls.length === 0 ? {} : { callTools: toolCalls.map((call, position) => callOf(call, callPieces[position] ?? [])) }),
    finish: finishReason,
    usage,
  };
}

function chunkOf(piece: Piece): object | string {
  return piece.afterMs === 0 ? piece.text : piece;
}

/** Arguments stay as the model wrote them, in the pieces in which they came; where they came whole, a mapping that says the same can be read. */
function callOf({ id, name, arguments: given }: ToolCall, pieces: readonly Piece[]): object {
  const text = scrub(given);
  if (text === given && pieces.length > 1 && pieces.map((piece) => piece.text).join("") === given) return { name, chunks: pieces.map(chunkOf), id };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value) && JSON.stringify(value) === text) return { name, arguments: value, id };
  } catch {
    // It is no JSON, and is played as it is.
  }
  return { name, arguments: text, id };
}
