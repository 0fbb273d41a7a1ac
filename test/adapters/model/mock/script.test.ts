import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openModel } from "../../../../src/adapters/model/mock/adapter.ts";
import { TwelveError } from "../../../../src/core/errors.ts";
import type { Message, Model, ModelChunk, ModelRequest } from "../../../../src/ports/model.ts";
import { temporaryFolder } from "../../../helpers/context.ts";

async function open(script: string, file = "evals/model.yaml"): Promise<Model> {
  const dir = await temporaryFolder();
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), script);
  return openModel(`mock:script:${file}`, dir);
}

async function ask(model: Model, question: string | readonly Message[], change: Partial<ModelRequest> = {}): Promise<readonly ModelChunk[]> {
  const messages: readonly Message[] = typeof question === "string" ? [{ role: "user", content: question }] : question;
  return Array.fromAsync(model.generate({ messages, passages: [], ...change }));
}

const textOf = (chunks: readonly ModelChunk[]): string => chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
async function failure(asked: Promise<unknown>): Promise<TwelveError> {
  return asked.then(() => new TwelveError("USAGE_INVALID", "It did not fail"), (error: unknown) => error as TwelveError);
}

describe("a scripted model", () => {
  it("gives the first reply that fits the last user message, and nothing of the prompt around it", async () => {
    const model = await open(`
replies:
  - when: { contains: Port }
    say: It is 3000.
  - when: { matches: "refund|money back", turn: 2 }
    say: Thirty days.
  - say: I do not know.
`);
    expect(textOf(await ask(model, "Which PORT is it?"))).toBe("It is 3000.");
    expect(textOf(await ask(model, "Do I get my MONEY BACK?"))).toBe("I do not know.");
    expect(textOf(await ask(model, [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }, { role: "user", content: "A refund?" }]))).toBe("Thirty days.");
    expect(textOf(await ask(model, "Passages: the port is 3000. Question: who?", { question: "who?" }))).toBe("I do not know.");
  });

  it("answers one user message step by step while its tools are called, and starts again at the next", async () => {
    const model = await open(`
model: parrot-2
replies:
  - sequence:
      - { say: Let me look., callTools: [{ name: look_up, arguments: { what: body } }, { name: count, id: mine }] }
      - { say: 1 MiB. }
  - say: never
`);
    const first: Message = { role: "user", content: "How large?" };
    const called = await ask(model, [first]);
    expect(called.slice(3)).toMatchObject([
      { type: "tool_call", call: { id: "call_1_1", name: "look_up", arguments: '{"what":"body"}' } },
      { type: "tool_call", call: { id: "mine", name: "count", arguments: "{}" } },
      { type: "end", finishReason: "tool_calls", model: "parrot-2" },
    ]);
    const after: readonly Message[] = [first, { role: "assistant", content: "", toolCalls: [] }, { role: "tool", content: "1", toolCallId: "call_1_1" }];
    expect(textOf(await ask(model, after))).toBe("1 MiB.");
    expect(textOf(await ask(model, [...after, { role: "assistant", content: "1 MiB." }, { role: "user", content: "And now?" }]))).toBe("Let me look.");
    const over = await failure(ask(model, [...after, { role: "assistant", content: "", toolCalls: [] }]));
    expect([over.code, over.message]).toEqual(["SERVICE_REJECTED", 'The script evals/model.yaml has no reply to "How large?" at turn 3']);
  });

  it("fits the tool whose result came last", async () => {
    const model = await open("replies: [{ when: { tool: look_up }, say: Found. }, { callTools: [{ name: look_up, arguments: 'not JSON' }] }]");
    const calls = [{ id: "c", name: "look_up", arguments: "{}" }];
    expect((await ask(model, "x"))[0]).toMatchObject({ type: "tool_call", call: { arguments: "not JSON" } });
    expect(textOf(await ask(model, [{ role: "user", content: "x" }, { role: "assistant", content: "", toolCalls: calls }, { role: "tool", content: "y", toolCallId: "c" }]))).toBe("Found.");
  });

  it("counts tokens, or reports those it is told", async () => {
    const model = await open("replies: [{ when: { contains: told }, say: One two., usage: { inputTokens: 900, cachedInputTokens: 800 } }, { say: One two., think: Hm }]");
    expect((await ask(model, "told")).at(-1)).toMatchObject({ usage: { inputTokens: 900, outputTokens: 3, cachedInputTokens: 800 } });
    expect((await ask(model, "else")).at(-1)).toMatchObject({ usage: { inputTokens: 5, outputTokens: expect.any(Number), cachedInputTokens: 0 } });
  });

  it("fails as often as it is told, after as many tokens, and then answers", async () => {
    const model = await open("replies: [{ say: One two three., fail: { status: 429, message: Too fast, retryAfterMs: 20, afterTokens: 2, times: 2 } }]");
    const chunks: ModelChunk[] = [];
    const asked = (async () => {
      for await (const chunk of model.generate({ messages: [], passages: [] })) chunks.push(chunk);
    })();
    expect(await failure(asked)).toMatchObject({ code: "SERVICE_LIMITED", message: "mock:script:evals/model.yaml answered 429: Too fast", retry: { afterMs: 20 } });
    expect(textOf(chunks)).toBe("One two");
    expect(await failure(ask(model, "x"))).toMatchObject({ code: "SERVICE_LIMITED" });
    expect(textOf(await ask(model, "x"))).toBe("One two three.");
  });

  it.each([
    ["code: SERVICE_QUOTA", "SERVICE_QUOTA", undefined],
    ["code: SERVICE_CUT", "SERVICE_CUT", { afterMs: null }],
    ["status: 401", "SERVICE_UNAUTHENTICATED", undefined],
    ["status: 402", "SERVICE_QUOTA", undefined],
    ["status: 403", "SERVICE_DENIED", undefined],
    ["status: 404", "SERVICE_NOT_FOUND", undefined],
    ["status: 422", "SERVICE_REJECTED", undefined],
    ["status: 500", "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["status: 504", "SERVICE_TIMEOUT", { afterMs: null }],
  ])("fails by %s with %s", async (fail, code, retry) => {
    expect(await failure(ask(await open(`replies: [{ fail: { ${fail} } }]`), "x"))).toMatchObject({ code, retry });
  });

  it("waits before it speaks and between words, until it is aborted", async () => {
    const model = await open("latencyMs: 1\nreplies: [{ say: One two., msPerToken: 86400000 }]");
    const reason = new Error("enough");
    const controller = new AbortController();
    const chunks: ModelChunk[] = [];
    const asked = (async () => {
      for await (const chunk of model.generate({ messages: [], passages: [], signal: controller.signal })) {
        chunks.push(chunk);
        setImmediate(() => controller.abort(reason));
      }
    })();
    await expect(asked).rejects.toBe(reason);
    expect(chunks).toEqual([{ type: "text", text: "One" }]);
  });

  it.each([
    ["an unknown field", "replies:\n  - say: hello\n    finnish: stop\n", [{ line: 3, path: "replies[0].finnish", message: expect.stringContaining('Unknown key. Did you mean "finish"?') }]],
    ["a reply that does nothing", "replies:\n  - say: yes\n  - when: { turn: 2 }\n", [{ line: 3, path: "replies[1]", message: "A reply needs `say`, `json`, `chunks`, `callTools` or `fail`, or a `sequence` of such" }]],
    ["a bad pattern", 'replies:\n  - say: x\n    when: { matches: "(" }\n', [{ line: 3, path: "replies[0].when.matches", message: "Not a regular expression of JavaScript" }]],
    ["an unknown failure", "replies: [{ fail: { code: SERVICE_LIMITTED } }]", [{ line: 1, path: "replies[0].fail.code", message: expect.stringContaining('Did you mean "SERVICE_LIMITED"?') }]],
    ["two ways to fail", "replies: [{ fail: { code: SERVICE_CUT, status: 500 } }]", [{ path: "replies[0].fail", message: "Give one of `code`, `status`, `reset` and `hang`" }]],
    ["an answer beside its sequence", "replies: [{ say: x, sequence: [{ say: y }] }]", [{ path: "replies[0]", message: "Write everything but `when` into the items of `sequence`" }]],
    ["nothing", "", [{ path: "replies", message: "Required; expected array" }]],
    ["YAML that is none", "replies: [", [{ line: 1 }]],
  ])("refuses %s, naming its place", async (_what, script, problems) => {
    const refused = await failure(open(script, "model.yaml"));
    expect(refused).toMatchObject({ code: "SCRIPT_INVALID", message: "The script model.yaml has a problem", problems });
    expect(refused.problems[0]?.file).toBe("model.yaml");
  });

  it.each([
    ["mock:script:none.yaml", "The application has no script none.yaml"],
    ["mock:script:../model.yaml", "mock:script:../model.yaml names no file inside the application's folder"],
    ["mock:script:/model.yaml", "mock:script:/model.yaml names no file inside the application's folder"],
    ["mock:script:", "mock:script: names no file inside the application's folder"],
    ["mock:script:.", "The script . cannot be read: EISDIR: illegal operation on a directory, read"],
  ])("refuses %s", async (reference, message) => {
    expect(await failure(openModel(reference, await temporaryFolder()))).toMatchObject({ code: "SCRIPT_INVALID", message });
  });
});

describe("the pace of other mock models", () => {
  it("is given behind a question mark", async () => {
    expect(textOf(await ask(await openModel("mock:echo?latencyMs=1&msPerToken=1", "."), "One two"))).toBe("One two");
    expect((await openModel("mock:echo?latencyMs=1", ".")).id).toBe("echo");
    expect((await openModel("mock:fixed:Why?latencyMs=1", ".")).id).toBe("fixed:Why?latencyMs=1");
  });

  it.each([
    ["mock:echo?latency=1", 'mock:echo?latency=1 has the unknown option "latency". Did you mean "latencyMs"? Allowed: latencyMs, msPerToken'],
    ["mock:echo?latencyMs=soon", 'mock:echo?latencyMs=soon gives latencyMs as "soon"; expected a whole number from 0 to 86400000'],
  ])("refuses %s", async (reference, message) => {
    expect(await failure(openModel(reference, "."))).toMatchObject({ code: "SERVICE_UNSUPPORTED", message });
  });
});
