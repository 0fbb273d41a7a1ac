import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openScriptModel } from "../../src/mock/model.ts";
import { parseScript } from "../../src/mock/read.ts";
import type { Message, ModelChunk } from "../../src/ports/model.ts";
import { answerMocked } from "../../src/run/mock/answer.ts";
import { openRecorder } from "../../src/run/record.ts";
import type { Answer, AnswerPart, AnswerRequest } from "../../src/run/schema.ts";
import { fixedClock, temporaryFolder } from "../helpers/context.ts";
import { openAgent, runtimeOf, says, scriptedModel, wants } from "./fixture.ts";

const requestOf = (content: string | readonly Message[]): AnswerRequest => ({
  agent: "support", messages: typeof content === "string" ? [{ role: "user", content }] : content, variables: {}, isStream: true, traceId: "0".repeat(31) + "1",
});

async function recording() {
  const dir = await temporaryFolder();
  const clock = fixedClock();
  const file = join(dir, "answers.yaml");
  return {
    file,
    text: () => readFile(file, "utf8"),
    record: async (request: AnswerRequest, ...chunks: readonly ModelChunk[]): Promise<readonly AnswerPart[]> => {
      const runtime = runtimeOf(openAgent(scriptedModel(() => chunks)));
      return Array.fromAsync(openRecorder({ dir, clock }, "answers.yaml").follow(request, runtime.answer(request)));
    },
    replay: async (request: AnswerRequest): Promise<readonly AnswerPart[]> => {
      const model = openScriptModel({ script: parseScript(await readFile(file, "utf8"), "answers.yaml"), file: "answers.yaml" });
      return Array.fromAsync(answerMocked(request, { model, clock }));
    },
  };
}

const answerOf = (parts: readonly AnswerPart[]): Answer => parts.flatMap((part) => (part.type === "end" ? [part.answer] : []))[0] as Answer;
const told = ({ text, toolCalls, finishReason, usage, citations }: Answer): object => ({ text, toolCalls, finishReason, usage, citations: citations.map(({ number, id, document, score }) => ({ number, id, document, score })) });

describe("a recording", () => {
  it("replays the same pieces, citations, calls and usage", async () => {
    const { record, replay, text } = await recording();
    const asked = requestOf("How large?");
    const first = await record(asked, ...says("It is ", "1 M", "iB [1]."));
    const again = await replay(asked);
    expect(again.slice(0, -1)).toEqual(first.slice(0, -1));
    expect(told(answerOf(again))).toEqual(told(answerOf(first)));
    expect(answerOf(again).citations).toHaveLength(1);
    expect(await text()).toMatch(/chunks:\n {4}- "It is "\n {4}- text: 1 M\n {6}afterMs: \d+\n/);
  });

  it("replays calls in the pieces in which they came", async () => {
    const { record, replay, text } = await recording();
    const call = { id: "c1", name: "look", arguments: '{"a": 1}' };
    const asked: AnswerRequest = { ...requestOf("How large?"), tools: [{ name: "look", parameters: { type: "object" } }] };
    const first = await record(asked, { type: "call_part", position: 0, begun: { id: "c1", name: "look" }, arguments: "" }, { type: "call_part", position: 0, arguments: '{"a"' }, { type: "call_part", position: 0, arguments: ": 1}" }, ...wants(call));
    const again = await replay(asked);
    expect(first).toHaveLength(4);
    expect(again.slice(0, -1)).toEqual(first.slice(0, -1));
    expect(answerOf(again).toolCalls).toEqual([call]);
    expect(await text()).toMatch(/chunks:\n {8}- text: '\{"a"'\n/);
  });

  it("tells turns, earlier words and results of tools apart", async () => {
    const { record, replay } = await recording();
    const before = (said: string): AnswerRequest => requestOf([{ role: "user", content: "Hi" }, { role: "assistant", content: said }, { role: "user", content: "And now?" }]);
    const after = (content: string): AnswerRequest => requestOf([{ role: "user", content: "Hi" }, { role: "assistant", content: "", toolCalls: [{ id: content, name: "look", arguments: '{ "a": 1 }' }] }, { role: "tool", content, toolCallId: content }]);
    const asked = [requestOf("And now?"), before("a"), before("b"), requestOf("Hi"), after("one"), after("two")];
    for (const [at, request] of asked.entries()) await record(request, ...(at === 3 ? wants({ id: "c9", name: "look", arguments: '{ "a": 1 }' }) : says(`Answer ${at}`)));
    const replayed = await Promise.all(asked.map(async (request) => answerOf(await replay(request))));
    expect(replayed.map(({ text }) => text)).toEqual(["Answer 0", "Answer 1", "Answer 2", "", "Answer 4", "Answer 5"]);
    expect(replayed[3]?.toolCalls).toEqual([{ id: "c9", name: "look", arguments: '{ "a": 1 }' }]);
  });

  it("keeps the first answer to a request, also over several processes", async () => {
    const { record, replay, text } = await recording();
    await record(requestOf("Hi"), ...says("One"));
    await record(requestOf("Hi"), ...says("Two"));
    await record(requestOf("Ho"), ...says("Three"));
    expect([answerOf(await replay(requestOf("Hi"))).text, answerOf(await replay(requestOf("Ho"))).text]).toEqual(["One", "Three"]);
    expect(await text()).not.toContain("Two");
  });

  it("holds no personal data, and fits the question all the same", async () => {
    const { record, replay, text } = await recording();
    await record(requestOf("I am ann@example.org"), ...says("Hello ann@exa", "mple.org"));
    expect(await text()).not.toContain("example.org");
    expect(answerOf(await replay(requestOf("I am ann@example.org"))).text).toBe("Hello [email]");
  });

  it("has an answer before its end is given out", async () => {
    const { record, text } = await recording();
    await record(requestOf("Hi"), ...says("x"));
    const runtime = runtimeOf(openAgent(scriptedModel(() => says("Last words"))));
    const request = requestOf("Bye");
    const dir = await temporaryFolder();
    for await (const part of openRecorder({ dir, clock: fixedClock() }, "a.yaml").follow(request, runtime.answer(request))) {
      const written = await readFile(join(dir, "a.yaml"), "utf8");
      expect(written.includes("Last words")).toBe(part.type === "end");
    }
    expect(await text()).toContain("x");
  });

  it("is never written into a file that is none", async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "mine.yaml"), "replies: [{ say: Mine }]\n");
    expect(() => openRecorder({ dir, clock: fixedClock() }, "mine.yaml")).toThrow(expect.objectContaining({ code: "SCRIPT_INVALID", message: "mine.yaml is no recording, and would be damaged by one" }));
    expect(() => openRecorder({ dir, clock: fixedClock() }, "no/such.yaml")).toThrow(expect.objectContaining({ code: "SCRIPT_INVALID" }));
  });
});
