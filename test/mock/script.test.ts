import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { playedFailure } from "../../src/mock/fail.ts";
import { openScriptModel, type ScriptModel } from "../../src/mock/model.ts";
import { parseScript } from "../../src/mock/read.ts";
import type { Message, ModelChunk, ModelRequest } from "../../src/ports/model.ts";

function open(yaml: string): ScriptModel {
  return openScriptModel({ script: parseScript(yaml, "answers.yaml"), file: "answers.yaml" });
}

function ask(model: ScriptModel, question: string, change: Partial<ModelRequest> = {}): Promise<readonly ModelChunk[]> {
  return Array.fromAsync(model.generate({ messages: [{ role: "user", content: question }], passages: [], ...change }));
}

async function said(model: ScriptModel, question: string, change: Partial<ModelRequest> = {}): Promise<string> {
  return (await ask(model, question, change)).map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
}

async function failure(asked: Promise<unknown>): Promise<TwelveError> {
  return asked.then(() => new TwelveError("USAGE_INVALID", "It did not fail"), (error: unknown) => error as TwelveError);
}

it("is shown in the documentation as it may be written", () => {
  const blocks = ["docs/mock.md", "docs/services.md"].flatMap((page) => [...readFileSync(page, "utf8").matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = ""]) => yaml)).filter((yaml) => yaml.includes("replies:"));
  expect(blocks.map((yaml) => parseScript(yaml, "page").replies.length)).toEqual([6, 1, 2, 3]);
});

describe("a reply fits", () => {
  it("the agent that is asked", async () => {
    const model = open("replies: [{ when: { agent: [support, sales] }, say: One of them }, { say: Another }]");
    expect(await Promise.all(["support", "sales", "hr", undefined].map((agent) => said(model, "x", agent === undefined ? {} : { agent })))).toEqual(["One of them", "One of them", "Another", "Another"]);
  });

  it("the last user message word for word, without what recordings do not have", async () => {
    const model = open('replies: [{ when: { equals: "Mail to [email]" }, say: Sent }, { when: { contains: a@b.org }, say: By it }, { say: Else }]');
    expect([await said(model, "Mail to a@b.org"), await said(model, "mail to a@b.org"), await said(model, "mail")]).toEqual(["Sent", "By it", "Else"]);
  });

  it("what a tool gave", async () => {
    const model = open("replies: [{ when: { tool: look_up, result: NOT found }, say: Sorry }, { say: Here it is }]");
    const after = (content: string): readonly Message[] => [{ role: "user", content: "x" }, { role: "assistant", content: "", toolCalls: [{ id: "c", name: "look_up", arguments: "{}" }] }, { role: "tool", content, toolCallId: "c" }];
    expect([await said(model, "x", { messages: after("Order 7 not found") }), await said(model, "x", { messages: after("Order 7") })]).toEqual(["Sorry", "Here it is"]);
  });

  it("the turn of the conversation, of which the examples of a prompt are no part", async () => {
    const model = open("replies: [{ when: { turn: 1 }, say: First }, { say: Later }]");
    const example: readonly Message[] = [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "x" }];
    expect([await said(model, "x", { messages: example, earlier: [] }), await said(model, "x", { messages: example })]).toEqual(["First", "Later"]);
  });

  it("only the nth request, each nth, or a share of them that the seed decides, until it begins anew", async () => {
    const several = async (when: string, seed = 0): Promise<string> => {
      const model = open(`seed: ${seed}\nreplies: [{ when: { contains: a, ${when} }, say: "1" }, { say: "0" }]`);
      const ten = async (): Promise<string> => (await Array.fromAsync("ababababab", (letter) => said(model, letter))).join("");
      const first = await ten();
      model.reset();
      expect(await ten()).toBe(first);
      return first;
    };
    expect(await several("call: 2")).toBe("0010000000");
    expect(await several("every: 2")).toBe("0010001000");
    const shares = await Promise.all([0, 1, 2, 3, 4].map((seed) => several("share: 0.5", seed)));
    expect(new Set(shares).size).toBeGreaterThan(1);
    expect(shares.join("").replaceAll("0", "").length).toBeGreaterThan(5);
  });

  it("or the nearest ones are shown with what kept them from it", async () => {
    const model = open("replies: [{ when: { contains: parcel, turn: 3 }, say: a }, { when: { contains: money back }, say: b }, { when: { equals: x }, say: c }, { when: { call: 7 }, say: d }]");
    const { code, problems } = await failure(ask(model, "Is my money lost?"));
    expect([code, ...problems.map(({ message }) => message)]).toEqual(["SERVICE_REJECTED", "replies[3]: it fits, but not this time", 'replies[1]: it wants contains: "money back"', 'replies[2]: it wants equals: "x"']);
  });
});

describe("a reply gives", () => {
  it("its text in the very pieces that are written down, unless it is cut", async () => {
    const model = open("replies: [{ chunks: [On, { text: e tw, afterMs: 1 }, o three] }]");
    const pieces = async (change: Partial<ModelRequest>) => (await ask(model, "x", change)).flatMap((chunk) => (chunk.type === "text" ? [chunk.text] : []));
    expect(await pieces({})).toEqual(["On", "e tw", "o three"]);
    expect(await pieces({ stop: [" three"] })).toEqual(["One", " two"]);
  });

  it("a value as JSON", async () => {
    expect(await said(open("replies: [{ json: { found: [1, null] } }]"), "x", { format: "json" })).toBe('{"found":[1,null]}');
  });

  it("passages of its own, else those of the script", async () => {
    const model = open("passages: [{ document: all.md, text: All }]\nreplies: [{ when: { contains: own }, say: a, passages: [{ document: own.md, text: Own, id: x, metadata: { page: 2 } }] }, { say: b }]");
    expect((await ask(model, "own")).at(-1)).toMatchObject({ passages: [{ id: "x", document: "own.md", text: "Own", headings: "", score: 1, metadata: { page: 2 } }] });
    expect((await ask(model, "else")).at(-1)).toMatchObject({ passages: [{ id: "all.md#1", document: "all.md" }] });
  });

  it("a connection that breaks off after some chunks", async () => {
    const model = open("replies: [{ chunks: [a, b, c], fail: { reset: true, afterChunks: 2 } }]");
    const chunks: ModelChunk[] = [];
    const broken = await failure((async () => {
      for await (const chunk of model.generate({ messages: [], passages: [] })) chunks.push(chunk);
    })());
    expect([chunks.length, broken.code, playedFailure(broken)?.reset]).toEqual([2, "SERVICE_CUT", true]);
  });

  it("nothing more where it hangs, until somebody goes away", async () => {
    const controller = new AbortController();
    const reason = new Error("gone");
    const rest = open("replies: [{ say: a b, fail: { hang: true, afterChunks: 1 } }]").generate({ messages: [], passages: [], signal: controller.signal })[Symbol.asyncIterator]();
    expect(await rest.next()).toMatchObject({ value: { text: "a" } });
    const next = rest.next();
    setImmediate(() => controller.abort(reason));
    await expect(next).rejects.toBe(reason);
  });

  it.each([
    ["two texts", "{ say: a, json: 1 }", "Give one of `say`, `json` and `chunks`"],
    ["two places to fail at", "{ say: a, fail: { reset: true, afterTokens: 1, afterChunks: 1 } }", "Give either `afterTokens` or `afterChunks`"],
    ["no way to fail", "{ fail: { message: x } }", "Give one of `code`, `status`, `reset` and `hang`"],
  ])("no more than one thing: %s are refused", (_what, reply, message) => {
    expect(() => parseScript(`replies: [${reply}]`, "answers.yaml")).toThrow(expect.objectContaining({ code: "SCRIPT_INVALID", problems: [expect.objectContaining({ message })] }));
  });
});
