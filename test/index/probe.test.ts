import { describe, expect, it } from "vitest";
import { openEmbedder } from "../../src/adapters/embedding/hash/adapter.ts";
import { checkProbe, embedProbe, isSameProbe, probeTexts } from "../../src/index/probe.ts";
import type { Embedder } from "../../src/ports/embedding.ts";

const made = openEmbedder("hash:64");

/** The same name, but every vector is turned a little: by `share` of its length towards another one. */
function turned(share: number): Embedder {
  return {
    ...made,
    embed: async (texts, task) => (await made.embed(texts, task)).map((vector) => vector.map((value, i) => value + share * (vector.at(i - 1) ?? 0))),
  };
}

describe("the probe", () => {
  it("is the vectors of all probe texts as 32-bit floats", async () => {
    expect((await embedProbe(made)).byteLength).toBe(probeTexts.length * 64 * 4);
  });

  it("is embedded in as many calls as the embedder needs", async () => {
    expect(await embedProbe({ ...made, maxBatch: 2 })).toEqual(await embedProbe(made));
  });

  it("finds the same embedder the same", async () => {
    expect(await checkProbe(made, await embedProbe(made), made.identity)).toBeCloseTo(1, 6);
  });

  it("lets rounding pass", async () => {
    expect(await checkProbe(turned(0.001), await embedProbe(made), made.identity)).toBeGreaterThan(0.999);
  });

  it("reads vectors at any offset of a larger buffer", async () => {
    const stored = await embedProbe(made);
    const buffer = new Uint8Array(stored.byteLength + 3);
    buffer.set(stored, 3);
    expect(await checkProbe(made, buffer.subarray(3), made.identity)).toBeCloseTo(1, 6);
  });

  it("refuses other vectors under the same name, with the cosine", async () => {
    await expect(checkProbe(turned(0.3), await embedProbe(made), made.identity)).rejects.toMatchObject({
      code: "EMBEDDER_DRIFTED",
      message: expect.stringMatching(/hash:words-1 \(64 dimensions\).*cosine 0\.\d{4} to the stored ones, below 0\.999/),
    });
  });

  it("refuses another identity, naming both", async () => {
    const other = openEmbedder("hash:128");
    await expect(checkProbe(other, await embedProbe(made), made.identity)).rejects.toMatchObject({
      code: "EMBEDDER_DRIFTED",
      message: "The index was made with hash:words-1 (64 dimensions), but the configured embedder is hash:words-1 (128 dimensions)",
    });
  });

  it("refuses stored vectors that are cut short", async () => {
    await expect(checkProbe(made, (await embedProbe(made)).subarray(4), made.identity)).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
  });
});

describe("two probes", () => {
  it("are of one embedder when no text's vectors differ by more than rounding", async () => {
    const stored = await embedProbe(made);
    expect(isSameProbe(stored, await embedProbe(turned(0.001)), 64)).toBe(true);
    expect(isSameProbe(stored, await embedProbe(turned(0.3)), 64)).toBe(false);
  });

  it("are of two when a single text differs, when one is cut short, or when a vector has no direction", async () => {
    const stored = await embedProbe(made);
    const last = Uint8Array.from(stored);
    last.set(stored.subarray(0, 64 * 4), stored.length - 64 * 4);
    expect(isSameProbe(stored, last, 64)).toBe(false);
    expect(isSameProbe(stored, stored.subarray(4), 64)).toBe(false);
    expect(isSameProbe(stored, new Uint8Array(stored.length), 64)).toBe(false);
    expect(isSameProbe(new Uint8Array(), new Uint8Array(), 64)).toBe(false);
  });
});
