import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { type Digest, digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import { openBudget } from "../../src/index/budget.ts";
import { type Embedding, openTextEmbedder, type TextEmbedder } from "../../src/index/embed.ts";
import { openEmbeddings } from "../../src/index/embeddings.ts";
import { openPace } from "../../src/index/pace.ts";
import type { TextToEmbed } from "../../src/index/plan.ts";
import { probeTexts } from "../../src/index/probe.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import type { Store } from "../../src/ports/store.ts";

const identity = { provider: "fake", model: "m", dimensions: 2, normalised: false, documentTask: null, queryTask: null };
const probe = new Uint8Array(Float32Array.from(probeTexts.flatMap(() => [1, 2])).buffer);

let store: Store;
beforeEach(async () => {
  store = await openStore("memory:", { dir: "/", env: {} });
});

type Answer = (texts: readonly string[], call: number) => readonly Float32Array[] | Promise<readonly Float32Array[]>;
/** Two texts a call; `answer` may fail, wait, or give other vectors. */
function fakeEmbedder(answer: Answer = vectorsFor): { readonly embedder: Embedder; readonly asked: string[]; readonly calls: () => number } {
  const asked: string[] = [];
  let calls = 0;
  const embed: Embedder["embed"] = async (batch) => {
    asked.push(...batch);
    return answer(batch, ++calls);
  };
  return { embedder: { identity, maxBatch: 2, usdPerMillionTokens: 1, fusionWeight: 1, embed, check: () => Promise.resolve({ version: null }) }, asked, calls: () => calls };
}
function vectorsFor(batch: readonly string[]): readonly Float32Array[] {
  return batch.map((text) => Float32Array.of(text.charCodeAt(1), 1));
}
function texts(...names: readonly string[]): Map<Digest, TextToEmbed> {
  return new Map(names.map((name) => [digestOf(name), { digest: digestOf(name), text: name, tokens: 10 }]));
}
const ten = Array.from({ length: 10 }, (_, i) => `t${i}`);

interface Options extends Partial<Pick<Embedding, "signal" | "budget">> {
  readonly requestsAtOnce?: number;
  readonly from?: Store;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly onRetry?: (waitMs: number) => void;
}
async function open(embedder: Embedder, { requestsAtOnce = 1, from = store, sleep = async () => {}, onRetry = () => {}, ...options }: Options = {}): Promise<TextEmbedder> {
  return openTextEmbedder({
    embedder,
    embeddings: await openEmbeddings(from, identity, probe),
    pace: openPace({ requestsAtOnce }, { nowMs: () => 0, sleep }),
    budget: openBudget({ usdPerMillionTokens: 1, maxUsd: undefined, embedder: "fake:m" }),
    retry: { random: () => 0.5, onRetry: (_, waitMs) => onRetry(waitMs) },
    signal: new AbortController().signal,
    ...options,
  });
}
async function stored(...names: readonly string[]): Promise<readonly string[]> {
  const embeddings = await openEmbeddings(store, identity, probe);
  return names.filter((name) => embeddings.has(digestOf(name)));
}

/** Another run, to its end. */
async function embedBefore(...names: readonly string[]): Promise<void> {
  const opened = await open(fakeEmbedder().embedder);
  await opened.vectorsOf(texts(...names));
  await opened.stored();
}

describe("embedding", () => {
  it("gives every text its own vector and asks for each once", async () => {
    const { embedder, asked } = fakeEmbedder();
    const opened = await open(embedder);
    const vectors = await opened.vectorsOf(texts(...ten));
    expect(vectors.get(digestOf("t7"))).toEqual(Float32Array.of("7".charCodeAt(0), 1));
    expect([vectors.size, opened.embedded, opened.requests, asked.toSorted()]).toEqual([10, 10, 5, ten]);
  });

  it("asks for nothing that the store knows", async () => {
    await embedBefore(...ten);
    const { embedder, asked } = fakeEmbedder();
    const opened = await open(embedder);
    expect((await opened.vectorsOf(texts(...ten, "new"))).size).toBe(11);
    expect([asked, opened.embedded, opened.requests]).toEqual([["new"], 1, 1]);
  });

  it("asks nobody for no text", async () => {
    const { embedder, calls } = fakeEmbedder();
    expect((await (await open(embedder)).vectorsOf(new Map())).size).toBe(0);
    expect(calls()).toBe(0);
  });

  it("asks once for a text that groups share, whether at the same time or one after the other", async () => {
    const { embedder, asked } = fakeEmbedder();
    const opened = await open(embedder, { requestsAtOnce: 4 });
    const groups = [["t0", "t1", "t2"], ["t1", "t2", "t3"], ["t0", "t3"], ["t2"]];
    const found = await Promise.all(groups.map((group) => opened.vectorsOf(texts(...group))));
    expect(found.map((vectors) => [...vectors.keys()].length)).toEqual([3, 3, 2, 1]);
    await opened.vectorsOf(texts("t3", "t0"));
    expect([asked.toSorted(), opened.embedded]).toEqual([["t0", "t1", "t2", "t3"], 4]);
    for (const [i, group] of groups.entries()) for (const name of group) expect(found[i]?.get(digestOf(name))).toEqual(vectorsFor([name])[0]);
  });

  it("asks once for shared texts also while the store is slow", async () => {
    const { embedder, asked } = fakeEmbedder();
    const slow: Store = { ...store, blobs: { ...store.blobs, write: async (...content) => new Promise((resolve) => setImmediate(() => resolve(store.blobs.write(...content)))) } };
    const opened = await open(embedder, { requestsAtOnce: 4, from: slow });
    await Promise.all(Array.from({ length: 12 }, (_, i) => opened.vectorsOf(texts(...ten.slice(i % 5, (i % 5) + 5)))));
    expect(asked.toSorted()).toEqual(ten.slice(0, 9));
  });

  it("gives vectors before they are stored, and says afterwards that they could not be", async () => {
    const held = Promise.withResolvers<void>();
    const failure = new TwelveError("STORE_UNUSABLE", "no disk");
    const slow: Store = { ...store, blobs: { ...store.blobs, write: () => held.promise.then(() => Promise.reject(failure)) } };
    const opened = await open(fakeEmbedder().embedder, { from: slow });
    expect((await opened.vectorsOf(texts("t0", "t1"))).size).toBe(2);
    held.resolve();
    await expect(opened.stored()).rejects.toBe(failure);
    expect(opened.embedded).toBe(0);
  });

  it("counts no batch that could not be stored", async () => {
    const { embedder } = fakeEmbedder();
    const failure = new TwelveError("STORE_UNUSABLE", "no disk");
    let writes = 0;
    const broken: Store = { ...store, blobs: { ...store.blobs, write: (...content) => (++writes > 3 ? Promise.reject(failure) : store.blobs.write(...content)) } };
    const opened = await open(embedder, { from: broken });
    await expect(opened.vectorsOf(texts(...ten))).rejects.toBe(failure);
    expect([opened.embedded, (await stored(...ten)).length]).toEqual([2, 2]);
  });

  it("embeds the texts of a damaged batch again", async () => {
    await embedBefore("t0", "t1", "t2", "t3");
    const { embedder, asked } = fakeEmbedder();
    let damaged: Digest | undefined;
    const broken: Store = {
      ...store,
      blobs: {
        ...store.blobs,
        read: async (blob) => {
          // The first vectors that are read.
          if (blob.mediaType.includes("vectors")) damaged ??= blob.digest;
          if (blob.digest === damaged) throw new TwelveError("BLOB_CORRUPT", "a bit flipped");
          return store.blobs.read(blob);
        },
      },
    };
    const opened = await open(embedder, { from: broken });
    const vectors = await opened.vectorsOf(texts("t0", "t1", "t2", "t3"));
    expect([asked.length, opened.embedded, vectors.size]).toEqual([2, 2, 4]);
    expect(vectors.get(digestOf("t1"))).toEqual(vectorsFor(["t1"])[0]);
  });
});

describe("a failure", () => {
  it("keeps what was embedded before, and the next run goes on from there", async () => {
    const failure = new Error("service down");
    const { embedder } = fakeEmbedder((batch, call) => (call <= 3 ? vectorsFor(batch) : Promise.reject(failure)));
    await expect((await open(embedder)).vectorsOf(texts(...ten))).rejects.toBe(failure);
    expect(await stored(...ten)).toHaveLength(6);
    const again = fakeEmbedder();
    const opened = await open(again.embedder);
    await opened.vectorsOf(texts(...ten));
    expect([opened.embedded, again.asked.length]).toEqual([4, 4]);
  });

  it("waits for the requests under way and keeps their answers, and sends no more", async () => {
    const failure = new Error("service down");
    const held = Promise.withResolvers<void>();
    const { embedder, calls } = fakeEmbedder(async (batch, call) => {
      if (call === 1) throw failure;
      await held.promise;
      return vectorsFor(batch);
    });
    const all = (await open(embedder, { requestsAtOnce: 3 })).vectorsOf(texts(...ten));
    all.catch(() => {});
    setImmediate(() => setImmediate(() => held.resolve()));
    await expect(all).rejects.toBe(failure);
    expect([calls(), (await stored(...ten)).length]).toEqual([3, 4]);
  });

  it("is the first one for every group, however the others ended", async () => {
    const failure = new Error("first");
    const { embedder } = fakeEmbedder((_, call) => Promise.reject(call === 1 ? failure : new Error("later")));
    const opened = await open(embedder, { requestsAtOnce: 2 });
    const outcomes = await Promise.allSettled([opened.vectorsOf(texts("t0", "t1", "t2", "t3")), opened.vectorsOf(texts("t1", "t4")), opened.vectorsOf(texts("t5"))]);
    expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason as unknown : outcome.value))).toEqual([failure, failure, failure]);
  });

  it("ends the wait of a request that was to be repeated in minutes", async () => {
    const failure = new TwelveError("SERVICE_DENIED", "the key was revoked");
    const { embedder } = fakeEmbedder((_, call) => Promise.reject(call === 1 ? new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs: 240_000 } }) : failure));
    // Nobody wakes: only the failure of the other request can end this.
    const opened = await open(embedder, { requestsAtOnce: 2, sleep: (ms) => (ms >= 1000 ? new Promise(() => {}) : Promise.resolve()) });
    await expect(opened.vectorsOf(texts("t0", "t1", "t2", "t3"))).rejects.toBe(failure);
  });

  it.each([
    ["too few vectors", (batch: readonly string[]) => vectorsFor(batch).slice(1), "gave 1 vectors"],
    ["vectors of another length", (batch: readonly string[]) => batch.map(() => new Float32Array(3)), "of 3 numbers"],
    ["what is no number", (batch: readonly string[]) => batch.map(() => Float32Array.of(Number.NaN, 1)), "2 finite numbers"],
  ])("is an embedder that gives %s: nothing of it is stored, and it is not asked again", async (_, answer, message) => {
    const { embedder, calls } = fakeEmbedder(answer);
    await expect((await open(embedder)).vectorsOf(texts("t0", "t1"))).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining(message) as string });
    expect([calls(), await stored(...ten)]).toEqual([1, []]);
  });

  it("stops between requests when the run is interrupted, and keeps what is done", async () => {
    const controller = new AbortController();
    const reason = new Error("interrupted");
    const { embedder, asked } = fakeEmbedder((batch, call) => {
      if (call === 2) controller.abort(reason);
      return vectorsFor(batch);
    });
    await expect((await open(embedder, { signal: controller.signal })).vectorsOf(texts(...ten))).rejects.toBe(reason);
    expect([asked.length, (await stored(...ten)).length]).toEqual([4, 4]);
  });
});

describe("a request that is repeated", () => {
  const limited = (afterMs: number | null): TwelveError => new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs } });

  it("is counted as a request, its texts once, and its cost once", async () => {
    const { embedder, calls } = fakeEmbedder((batch, call) => (call === 1 ? Promise.reject(limited(null)) : vectorsFor(batch)));
    const budget = openBudget({ usdPerMillionTokens: 1, maxUsd: undefined, embedder: "fake:m" });
    const opened = await open(embedder, { budget });
    await opened.vectorsOf(texts("t0", "t1"));
    expect([calls(), opened.requests, opened.embedded, budget.tokens]).toEqual([2, 2, 2, 20]);
  });

  it("lets its place to others while it waits", async () => {
    const order: string[] = [];
    const { embedder } = fakeEmbedder((batch, call) => {
      order.push(batch.join());
      return call === 1 ? Promise.reject(limited(null)) : vectorsFor(batch);
    });
    const woken = Promise.withResolvers<void>();
    const opened = await open(embedder, { sleep: () => woken.promise });
    const all = opened.vectorsOf(texts("t0", "t1", "t2", "t3"));
    setImmediate(() => setImmediate(() => setImmediate(() => woken.resolve())));
    await all;
    expect(order).toEqual(["t0,t1", "t2,t3", "t0,t1"]);
  });

  it("makes all requests rest when the service says for how long", async () => {
    let now = 0;
    const { embedder } = fakeEmbedder((batch, call) => {
      starts.push(now);
      return call === 1 ? Promise.reject(limited(8000)) : vectorsFor(batch);
    });
    const starts: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
    };
    const opened = openTextEmbedder({
      embedder, embeddings: await openEmbeddings(store, identity, probe), pace: openPace({ requestsAtOnce: 1 }, { nowMs: () => now, sleep }),
      budget: openBudget({ usdPerMillionTokens: null, maxUsd: undefined, embedder: "fake:m" }), retry: { random: () => 0, onRetry: () => {} }, signal: new AbortController().signal,
    });
    await opened.vectorsOf(texts("t0", "t1", "t2", "t3"));
    expect(starts[0]).toBe(0);
    expect(Math.min(...starts.slice(1))).toBeGreaterThanOrEqual(8000);
  });

  it("fails with the service's own words when it has been repeated often enough", async () => {
    const { embedder, calls } = fakeEmbedder(() => Promise.reject(limited(null)));
    const waits: number[] = [];
    await expect((await open(embedder, { onRetry: (ms) => waits.push(ms) })).vectorsOf(texts("t0"))).rejects.toMatchObject({ code: "SERVICE_LIMITED", message: "slow down" });
    expect([calls(), waits]).toEqual([7, [250, 500, 1000, 2000, 4000, 8000]]);
  });
});

describe("the budget", () => {
  it("stops before the request that would go beyond, keeps the rest, and nothing is paid twice", async () => {
    const limit = (): Embedding["budget"] => openBudget({ usdPerMillionTokens: 1000, maxUsd: 0.05, embedder: "fake:m" });
    const { embedder, asked } = fakeEmbedder();
    // Ten tokens each at a thousandth of a dollar a token: five texts, in batches of two.
    const first = await open(embedder, { budget: limit() });
    await expect(first.vectorsOf(texts(...ten))).rejects.toMatchObject({ code: "COST_EXCEEDED" });
    expect([asked, first.embedded, (await stored(...ten)).length]).toEqual([["t0", "t1", "t2", "t3"], 4, 4]);
    await expect((await open(embedder, { budget: limit() })).vectorsOf(texts(...ten))).rejects.toMatchObject({ code: "COST_EXCEEDED" });
    await (await open(embedder, { budget: limit() })).vectorsOf(texts(...ten));
    expect(asked.toSorted()).toEqual(ten);
  });
});

describe("a service that answers one request a second", () => {
  it("embeds everything all the same, however many are sent at once", async () => {
    let now = 0;
    const sleepers: { readonly at: number; readonly wake: () => void }[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => sleepers.push({ at: now + ms, wake: resolve }));
    let freeAt = 0;
    const { embedder, calls } = fakeEmbedder((batch) => {
      if (now < freeAt) return Promise.reject(new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs: 1000 } }));
      freeAt = now + 1000;
      return vectorsFor(batch);
    });
    const opened = openTextEmbedder({
      embedder, embeddings: await openEmbeddings(store, identity, probe), pace: openPace({ requestsAtOnce: 8 }, { nowMs: () => now, sleep }),
      budget: openBudget({ usdPerMillionTokens: null, maxUsd: undefined, embedder: "fake:m" }), retry: { random: () => 0.5, onRetry: () => {} }, signal: new AbortController().signal,
    });
    const state = { isOver: false };
    const all = opened.vectorsOf(texts(...Array.from({ length: 160 }, (_, i) => `text ${i}`))).finally(() => (state.isOver = true));
    all.catch(() => {});
    while (!state.isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = sleepers.sort((left, right) => left.at - right.at).shift();
      now = Math.max(now, next?.at ?? 0);
      next?.wake();
    }
    expect((await all).size).toBe(160);
    // No more than a few refusals for each answer.
    expect(calls() / 80).toBeLessThan(4);
  });
});
