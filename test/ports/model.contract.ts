import { describe, expect, it } from "vitest";
import type { Model } from "../../src/ports/model.ts";
import { ask, itCan, request } from "./model-ask.ts";
import { describeProtocol } from "./model-protocol.contract.ts";
import type { ModelHarness } from "./model-upstream.ts";

/** What `src/ports/model.ts` promises. */
export function describeModel(name: string, harness: ModelHarness): void {
  describe(`${name} as a model`, () => {
    const { upstream } = harness;
    const open = async (replies = 1): Promise<Model> => {
      upstream?.script(...Array.from({ length: replies }, () => ({ says: ["A body may ", "be one mebibyte ", "large."] })));
      return harness.open();
    };

    it("streams text and then one end with its tokens and its name", async () => {
      const { chunks, text, end } = await ask(await open());
      expect(text.trim().split(/\s+/).length).toBeGreaterThanOrEqual(3);
      expect(chunks.filter(({ type }) => type === "end")).toEqual([end]);
      expect(end).toMatchObject({ type: "end", finishReason: "stop", model: expect.stringMatching(/./) });
      expect(end?.usage.inputTokens).toBeGreaterThan(0);
      expect(end?.usage.outputTokens).toBeGreaterThan(0);
      expect(end?.usage.cachedInputTokens).toBeLessThanOrEqual(end?.usage.inputTokens ?? 0);
    });

    it("asks nothing for a signal that is aborted already, and fails with its reason", async () => {
      const model = await open();
      const reason = new Error("enough");
      await expect(ask(model, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(upstream?.received() ?? []).toEqual([]);
    });

    itCan(upstream, "pieces", "ends with the signal's reason when it is aborted during the answer", async () => {
      const model = await harness.open();
      upstream?.script({ says: ["A body may "], ending: "hangs" });
      const reason = new Error("enough");
      const controller = new AbortController();
      const reading = (async () => {
        for await (const _ of model.generate({ ...request, signal: controller.signal })) controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
      await upstream?.closed();
    });

    it.skipIf(upstream === undefined)("ends with the signal's reason when it is aborted before the answer", async () => {
      const model = await harness.open();
      upstream?.script({ ending: "hangs" });
      const reason = new Error("enough");
      const controller = new AbortController();
      const asking = ask(model, { signal: controller.signal });
      await expect.poll(() => upstream?.received().length).toBe(1);
      controller.abort(reason);
      await expect(asking).rejects.toBe(reason);
      await upstream?.closed();
    });

    it("answers several requests at once", async () => {
      const model = await open(3);
      const answers = await Promise.all([1, 2, 3].map(() => ask(model, { temperature: 0, seed: 1 })));
      expect(answers.every(({ end }) => end !== undefined)).toBe(true);
    });

    itCan(upstream, "check", "says that it is there, and ends a check with the signal's reason", async () => {
      const model = await open();
      expect((await model.check()).version).not.toBe("");
      expect(upstream?.received() ?? []).toEqual([]);
      const reason = new Error("enough");
      if (upstream !== undefined) await expect(model.check(AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    if (upstream === undefined) describeOwnWords(() => harness.open());
    else describeProtocol(upstream, () => harness.open());
  });
}

/** Of models that choose their words here, and not behind a protocol. */
function describeOwnWords(open: () => Promise<Model>): void {
  it("stops at maxTokens and says so", async () => {
    const model = await open();
    const whole = await ask(model);
    const short = await ask(model, { maxTokens: 2 });
    expect(short.text.length).toBeLessThan(whole.text.length);
    expect(short.end).toMatchObject({ finishReason: "length" });
  });

  it("leaves out the stop string and all after it", async () => {
    const model = await open();
    const { text } = await ask(model);
    const stop = text.slice(Math.floor(text.length / 2)).trim().slice(0, 4);
    const stopped = await ask(model, { stop: [stop] });
    expect(stopped.text).not.toContain(stop);
    expect(stopped.end).toMatchObject({ finishReason: "stop" });
  });
}
