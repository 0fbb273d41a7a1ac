import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { Model, ModelChunk, ModelRequest } from "../../src/ports/model.ts";
import { askModels, type Candidate, type Patience, tellFallbacks } from "../../src/run/fallback.ts";
import { scriptedModel, says } from "./fixture.ts";

const request: ModelRequest = { messages: [{ role: "user", content: "x" }], passages: [] };
const passing = (code: TwelveError["code"], afterMs: number | null = null): TwelveError => new TwelveError(code, `${code} it is`, { retry: { afterMs } });
const lasting = (code: TwelveError["code"]): TwelveError => new TwelveError(code, `${code} it is`);

/** A model that fails so, one failure a call, and then answers with its name. */
function failing(reference: string, failures: readonly Error[]): Candidate & { readonly asked: ModelRequest[] } {
  let calls = 0;
  const model = scriptedModel(() => {
    const failure = failures[calls++];
    if (failure !== undefined) throw failure;
    return says(reference);
  });
  return { reference, model, asked: model.asked };
}

interface Trial {
  readonly outcome: string | Error;
  readonly waits: readonly number[];
  readonly failed: readonly string[];
  readonly asked: readonly string[];
}

/** Asks without really waiting: the clock goes on by what is waited, and by 1 ms at each look. */
async function ask(chain: readonly Candidate[], { patience, ...change }: Partial<ModelRequest> & { readonly patience?: Patience } = {}): Promise<Trial> {
  const waits: number[] = [];
  const failed: string[] = [];
  const asked: string[] = [];
  let nowMs = 0;
  const answer = askModels(chain, { ...request, ...change }, {
    clock: { monotonicMs: () => nowMs++ },
    ...(patience === undefined ? {} : { patience }),
    onAsk: ({ reference }) => asked.push(reference),
    onFailure: ({ reference, error }) => failed.push(`${reference} ${error.code}`),
    sleep: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
    random: () => 1,
  });
  const outcome = await answer.then(async (chunks) => textOf(await Array.fromAsync(chunks)), (error: unknown) => error as Error);
  return { outcome, waits, failed, asked };
}

const textOf = (chunks: readonly ModelChunk[]): string => chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");

describe("one model", () => {
  it("is asked once when it answers", async () => {
    const model = failing("a:1", []);
    expect(await ask([model])).toEqual({ outcome: "a:1", waits: [], failed: [], asked: ["a:1"] });
    expect(model.asked).toEqual([request]);
  });

  it("is asked again when that can help, no sooner than it says", async () => {
    expect(await ask([failing("a:1", [passing("SERVICE_LIMITED", 3000), passing("SERVICE_UNAVAILABLE")])])).toEqual({
      outcome: "a:1", waits: [3000, 1000], failed: ["a:1 SERVICE_LIMITED", "a:1 SERVICE_UNAVAILABLE"], asked: ["a:1"],
    });
  });

  it("is given up after three attempts, and fails as it did last", async () => {
    const model = failing("a:1", [passing("SERVICE_TIMEOUT"), passing("SERVICE_TIMEOUT"), passing("SERVICE_CUT"), passing("SERVICE_CUT")]);
    const { outcome, failed } = await ask([model]);
    expect([(outcome as TwelveError).code, failed, model.asked.length]).toEqual(["SERVICE_CUT", ["a:1 SERVICE_TIMEOUT", "a:1 SERVICE_TIMEOUT"], 3]);
  });

  it("is not waited for longer than somebody who waits for an answer would", async () => {
    expect(await ask([failing("a:1", [passing("SERVICE_LIMITED", 60_000)])])).toMatchObject({ outcome: { code: "SERVICE_LIMITED" }, waits: [] });
    const slow = failing("a:1", [passing("SERVICE_LIMITED", 6000), passing("SERVICE_LIMITED", 6000)]);
    expect(await ask([slow])).toMatchObject({ outcome: { code: "SERVICE_LIMITED" }, waits: [6000] });
  });

  it("is waited for longer by those who have more patience", async () => {
    expect(await ask([failing("a:1", [passing("SERVICE_LIMITED", 60_000)])], { patience: { attempts: 7, totalMs: 120_000 } })).toMatchObject({ outcome: "a:1", waits: [60_000] });
  });

  it.each(["SERVICE_REJECTED", "SERVICE_FILTERED", "SERVICE_QUOTA", "SERVICE_UNAUTHENTICATED"] as const)("is asked once when %s stays so", async (code) => {
    const model = failing("a:1", [lasting(code)]);
    expect(await ask([model])).toMatchObject({ outcome: { code }, waits: [], failed: [] });
    expect(model.asked).toHaveLength(1);
  });

  it("that ends without a word broke off", async () => {
    const empty = { reference: "a:1", model: scriptedModel(() => []) };
    expect(await ask([empty], { patience: { attempts: 1, totalMs: 0 } })).toMatchObject({ outcome: { code: "SERVICE_CUT", message: "The model a:1 broke off its answer" } });
  });

  it("is not asked again after its first chunk", async () => {
    const model = scriptedModel(function* () {
      yield { type: "text", text: "Half" };
      throw passing("SERVICE_CUT");
    });
    const chunks = await askModels([{ reference: "a:1", model }, failing("b:2", [])], request, { clock: { monotonicMs: () => 0 }, onAsk: () => {}, onFailure: () => {} });
    await expect(Array.fromAsync(chunks)).rejects.toMatchObject({ code: "SERVICE_CUT" });
    expect(model.asked).toHaveLength(1);
  });

  it("is closed when its reader goes away", async () => {
    let isClosed = false;
    const model = scriptedModel(function* () {
      try {
        yield { type: "text", text: "Half" };
        yield { type: "text", text: "never" };
      } finally {
        isClosed = true;
      }
    });
    for await (const _ of await askModels([{ reference: "a:1", model }], request, { clock: { monotonicMs: () => 0 }, onAsk: () => {}, onFailure: () => {} })) break;
    expect(isClosed).toBe(true);
  });
});

describe("a chain of models", () => {
  it.each(["SERVICE_QUOTA", "SERVICE_NOT_FOUND", "SERVICE_UNAUTHENTICATED", "SERVICE_DENIED", "SERVICE_FAILED", "MODEL_UNABLE"] as const)("goes on at once after %s", async (code) => {
    expect(await ask([failing("a:1", [lasting(code)]), failing("b:2", [])])).toEqual({ outcome: "b:2", waits: [], failed: [`a:1 ${code}`], asked: ["a:1", "b:2"] });
  });

  it.each(["SERVICE_UNAVAILABLE", "SERVICE_LIMITED", "SERVICE_TIMEOUT", "SERVICE_CUT"] as const)("asks the same model a second time after %s, then goes on", async (code) => {
    expect(await ask([failing("a:1", [passing(code), passing(code), passing(code)]), failing("b:2", [])])).toEqual({
      outcome: "b:2", waits: [500], failed: [`a:1 ${code}`, `a:1 ${code}`], asked: ["a:1", "b:2"],
    });
  });

  it("goes on at once where a model asks for a long wait, but waits for the last one", async () => {
    expect(await ask([failing("a:1", [passing("SERVICE_LIMITED", 5000)]), failing("b:2", [passing("SERVICE_LIMITED", 5000)])])).toEqual({
      outcome: "b:2", waits: [5000], failed: ["a:1 SERVICE_LIMITED", "b:2 SERVICE_LIMITED"], asked: ["a:1", "b:2"],
    });
  });

  it.each(["SERVICE_REJECTED", "SERVICE_FILTERED"] as const)("ends with %s, which another model would say, too", async (code) => {
    expect(await ask([failing("a:1", [lasting(code)]), failing("b:2", [])])).toMatchObject({ outcome: { code, problems: [] }, asked: ["a:1"] });
  });

  it("fails as its last model did, and names what failed before", async () => {
    const { outcome } = await ask([failing("a:1", [lasting("SERVICE_QUOTA")]), failing("b:2", [lasting("SERVICE_NOT_FOUND")]), failing("c:3", [lasting("SERVICE_DENIED")])]);
    expect(outcome).toMatchObject({
      code: "SERVICE_DENIED",
      message: "SERVICE_DENIED it is",
      problems: [{ message: "before it, a:1 failed with SERVICE_QUOTA: SERVICE_QUOTA it is" }, { message: "before it, b:2 failed with SERVICE_NOT_FOUND: SERVICE_NOT_FOUND it is" }],
    });
  });

  it("ends with an abort, and with a bug", async () => {
    const controller = new AbortController();
    const aborted: Candidate = {
      reference: "a:1",
      model: scriptedModel(() => {
        controller.abort(passing("SERVICE_CUT"));
        throw passing("SERVICE_CUT");
      }),
    };
    expect(await ask([aborted, failing("b:2", [])], { signal: controller.signal, patience: { attempts: 1, totalMs: 0 } })).toMatchObject({ asked: ["a:1"] });
    expect(await ask([failing("a:1", [new TypeError("bug")]), failing("b:2", [])])).toMatchObject({ outcome: new TypeError("bug"), asked: ["a:1"] });
  });
});

describe("tellFallbacks", () => {
  it("tells of a change once, and of the way back", () => {
    const told: string[] = [];
    let nowMs = 0;
    const tell = tellFallbacks({ note: (message) => told.push(`note ${message}`), warn: (message) => told.push(`warn ${message}`) }, { monotonicMs: () => nowMs });
    const first = { reference: "a:1", model: {} as Model };
    const second = { reference: "b:2", model: {} as Model };
    const failed = [{ reference: "a:1", error: lasting("SERVICE_QUOTA") }];
    tell("support", first, []);
    tell("support", second, failed);
    tell("support", second, failed);
    expect(told.splice(0)).toEqual(["warn Agent support: a:1 failed with SERVICE_QUOTA (SERVICE_QUOTA it is); b:2 answers"]);
    tell("support", first, []);
    tell("support", second, failed);
    expect(told).toEqual([]);
    nowMs = 10_000;
    tell("support", first, []);
    tell("support", first, []);
    expect(told.splice(0)).toEqual(["note Agent support: a:1 answers again"]);
    tell("other", second, failed);
    expect(told).toEqual(["warn Agent other: a:1 failed with SERVICE_QUOTA (SERVICE_QUOTA it is); b:2 answers"]);
  });
});
