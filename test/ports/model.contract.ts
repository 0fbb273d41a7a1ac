import { describe, expect, it } from "vitest";
import type { Model, ModelChunk, ModelRequest } from "../../src/ports/model.ts";

/** A request that any model answers with several words. */
const request: ModelRequest = {
  messages: [{ role: "system", content: "Answer in words." }, { role: "user", content: "How large may a body be, and which port is used?" }],
  passages: [{ number: 1, text: "A body may be one mebibyte large. The port that is used is 3000." }],
};

async function answer(model: Model, change: Partial<ModelRequest> = {}): Promise<{ readonly text: string; readonly chunks: readonly ModelChunk[]; readonly last: ModelChunk | undefined }> {
  const chunks: ModelChunk[] = [];
  for await (const chunk of model.generate({ ...request, ...change })) chunks.push(chunk);
  return { chunks, text: chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join(""), last: chunks.at(-1) };
}

/** What `src/ports/model.ts` promises, for a model that answers `request` with at least three words. */
export function describeModel(name: string, open: () => Promise<Model>): void {
  describe(`${name} as a model`, () => {
    it("streams text and then one end with its tokens and its name", async () => {
      const { chunks, text, last } = await answer(await open());
      expect(text.trim().split(/\s+/).length).toBeGreaterThanOrEqual(3);
      expect(chunks.filter(({ type }) => type === "end")).toEqual([last]);
      expect(last).toMatchObject({ type: "end", finishReason: "stop", model: expect.stringMatching(/./) });
      const usage = last?.type === "end" ? last.usage : undefined;
      expect(usage?.inputTokens).toBeGreaterThan(0);
      expect(usage?.outputTokens).toBeGreaterThan(0);
      expect(usage?.cachedInputTokens).toBeLessThanOrEqual(usage?.inputTokens ?? 0);
    });

    it("stops at maxTokens and says so", async () => {
      const model = await open();
      const whole = await answer(model);
      const short = await answer(model, { maxTokens: 2 });
      expect(short.text.length).toBeLessThan(whole.text.length);
      expect(short.last).toMatchObject({ finishReason: "length" });
    });

    it("leaves out the stop string and all after it", async () => {
      const model = await open();
      const { text } = await answer(model);
      const stop = text.slice(Math.floor(text.length / 2)).trim().slice(0, 4);
      const stopped = await answer(model, { stop: [stop] });
      expect(stopped.text).not.toContain(stop);
      expect(stopped.last).toMatchObject({ finishReason: "stop" });
    });

    it("ends with the signal's reason when it is aborted before or during the answer", async () => {
      const model = await open();
      const reason = new Error("enough");
      await expect(answer(model, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const reading = (async () => {
        for await (const _ of model.generate({ ...request, signal: controller.signal })) controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
    });

    it("answers several requests at once", async () => {
      const model = await open();
      const answers = await Promise.all([1, 2, 3].map(() => answer(model, { temperature: 0, seed: 1 })));
      expect(answers.every(({ last }) => last?.type === "end")).toBe(true);
    });
  });
}
