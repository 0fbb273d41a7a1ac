import { TwelveError } from "../../../core/errors.ts";
import { didYouMean } from "../../../core/nearest.ts";
import { type Pace, pause, think } from "../../../mock/pace.ts";
import { lastUserMessage, questionOf, usageOf, wordedFor, wordsOf } from "../../../mock/words.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { readCount, readOptions } from "../../http/options.ts";
import { extractAnswer } from "./extract.ts";

const scheme = "mock:";
const fixed = "fixed:";
const script = "script:";
const known = ["mock:extractive", "mock:echo", "mock:fixed:<text>", "mock:script:<file>"];
/** A day: long enough to play a service that never answers. */
const longestMs = 86_400_000;

/**
 * Models without a model, for trying and for tests: `mock:extractive` answers with sentences of the passages,
 * `mock:echo` repeats the last user message, `mock:fixed:<text>` always says the text, `mock:script:<file>` answers as a
 * file in `dir` says. All are deterministic. Behind the first two, `?latencyMs=50&msPerToken=2` makes them slow.
 */
export async function openModel(reference: string, dir: string): Promise<Model> {
  const rest = reference.slice(scheme.length);
  if (rest.startsWith(fixed)) return speaker(rest, () => rest.slice(fixed.length), {});
  if (rest.startsWith(script)) return (await import("./script.ts")).openScript(rest.slice(script.length), dir);
  const [id = "", query] = rest.split(/\?(.*)/s, 2);
  const reply = Object.hasOwn(behaviours, id) ? behaviours[id] : undefined;
  if (reply !== undefined) return speaker(id, reply, query === undefined ? {} : readPace(query, reference));
  throw new TwelveError("SERVICE_UNSUPPORTED", `There is no model ${reference}.${didYouMean(`${scheme}${id}`, known)} Supported: ${known.join(", ")}`);
}

type Reply = (request: ModelRequest) => string;

const behaviours: Readonly<Record<string, Reply>> = {
  extractive(request) {
    refuseOtherThanText(request);
    return extractAnswer(questionOf(request), request.passages);
  },
  echo: ({ messages }) => lastUserMessage(messages),
};

/** It picks sentences, and nothing else: an answer that left an image or a tool unseen would pass for one that did not. */
function refuseOtherThanText({ messages, tools = [], toolChoice }: ModelRequest): void {
  const what = messages.some(({ images = [] }) => images.length > 0) ? "images" : tools.length > 0 && toolChoice !== "none" ? "tools" : undefined;
  if (what !== undefined) throw new TwelveError("MODEL_UNABLE", `mock:extractive cannot be given ${what}: it answers with sentences of passages`, { fix: "Leave them out, or use mock:script:<file> or a real model" });
}

function readPace(query: string, reference: string): Pace {
  const options = readOptions(query, reference, ["latencyMs", "msPerToken"]);
  const read = (name: string): number | undefined => readCount(options, name, { reference, least: 0, most: longestMs });
  return { latencyMs: read("latencyMs"), msPerToken: read("msPerToken") };
}

function speaker(id: string, reply: Reply, pace: Pace): Model {
  return { provider: "mock", id, check: () => Promise.resolve({ version: null }), generate: (request) => answer(id, request, { reply, pace }) };
}

async function* answer(id: string, request: ModelRequest, { reply, pace }: { readonly reply: Reply; readonly pace: Pace }): AsyncGenerator<ModelChunk> {
  const { signal, messages } = request;
  await think(pace, signal);
  const { text, finishReason } = wordedFor(request, reply(request));
  for (const word of wordsOf(text)) {
    signal?.throwIfAborted();
    yield { type: "text", text: word };
    await pause(word, pace, signal);
  }
  yield { type: "end", finishReason, usage: usageOf(messages, text), model: id };
}
