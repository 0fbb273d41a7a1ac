import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import { embedTexts } from "../../src/retrieval/embed.ts";

function embedder(change: Partial<Embedder>): Embedder & { readonly batches: (readonly string[])[] } {
  const batches: (readonly string[])[] = [];
  return {
    batches,
    identity: { provider: "stub", model: "stub", dimensions: 1, normalised: false, documentTask: null, queryTask: null },
    maxBatch: 2,
    usdPerMillionTokens: 0,
    fusionWeight: 1,
    check: () => Promise.resolve({ version: null }),
    embed: async (texts) => {
      batches.push(texts);
      return texts.map((text) => Float32Array.of(text.length));
    },
    ...change,
  };
}
const texts = ["a", "bb", "ccc", "dddd", "eeeee"];

describe("embedTexts", () => {
  it("gives each text its vector, in order, in as few requests as the embedder takes", async () => {
    const stub = embedder({ requestsAtOnce: 2 });
    const vectors = await embedTexts(texts, "query", stub);
    expect(vectors.map(([length]) => length)).toEqual([1, 2, 3, 4, 5]);
    expect(stub.batches).toEqual([["a", "bb"], ["ccc", "dddd"], ["eeeee"]]);
  });

  it("keeps to the tokens of a request, and sends a text that has more alone", async () => {
    const stub = embedder({ maxBatch: 10, maxBatchTokens: 3 });
    await embedTexts(["one two", "three", "four five six seven", "eight"], "document", stub);
    expect(stub.batches).toEqual([["one two", "three"], ["four five six seven"], ["eight"]]);
  });

  it("asks again where a failure may pass soon", async () => {
    let attempts = 0;
    const stub = embedder({
      embed: (given) => {
        attempts++;
        return attempts === 1 ? Promise.reject(new TwelveError("SERVICE_LIMITED", "busy", { retry: { afterMs: 1 } })) : Promise.resolve(given.map(() => Float32Array.of(1)));
      },
    });
    expect(await embedTexts(["a"], "query", stub)).toHaveLength(1);
    expect(attempts).toBe(2);
  });
});
