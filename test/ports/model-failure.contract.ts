import { expect } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { Model } from "../../src/ports/model.ts";
import { ask, type Can, request } from "./model-ask.ts";
import { type FailureKind, failureKinds, type ScriptedUpstream } from "./model-upstream.ts";

export function describeModelFailures(upstream: ScriptedUpstream, open: () => Promise<Model>, can: Can): void {
  for (const [kind, { code, mayPass }] of Object.entries(failureKinds)) {
    can(kind as FailureKind, `fails with ${code} when the provider answers ${kind}, in its own words`, async () => {
      upstream.script({ fails: { kind: kind as FailureKind, message: "These are its own words", requestId: "request-0001" } });
      const failure = await failureOf(ask(await open()));
      expect(failure.code).toBe(code);
      expect(failure.fix).not.toBe("");
      expect(upstream.received()).toHaveLength(1);
      if (mayPass !== undefined) expect(failure.retry !== undefined).toBe(mayPass);
      if (kind === "garbage") return;
      expect(failure.message).toContain("These are its own words");
      if (upstream.lacks?.requestId === undefined) expect(failure.message).toContain("request-0001");
    });
  }

  can("retryAfter", "says how long a provider that limits the rate asks to wait", async () => {
    upstream.script({ fails: { kind: "limited", message: "Slow down", requestId: "request-0001", retryAfterMs: 2000 } });
    expect((await failureOf(ask(await open()))).retry).toEqual({ afterMs: 2000 });
  });

  can("breaksOff", "fails with SERVICE_CUT when the stream breaks off after some text", async () => {
    upstream.script({ says: ["A body may "], ending: "breaksOff" });
    const model = await open();
    let text = "";
    const reading = (async () => {
      for await (const chunk of model.generate(request)) text += chunk.type === "text" ? chunk.text : `<${chunk.type}>`;
    })();
    const failure = await failureOf(reading);
    expect([failure.code, text]).toEqual(["SERVICE_CUT", "A body may "]);
    expect(failure.retry).toBeDefined();
  });

  can("unreachable", "fails with SERVICE_UNAVAILABLE when nobody answers, for an answer and for a check", async () => {
    const model = await upstream.openUnreachable();
    for (const asked of [ask(model), model.check()]) {
      const failure = await failureOf(asked);
      expect(failure.code).toBe("SERVICE_UNAVAILABLE");
      expect(failure.retry).toBeDefined();
    }
  });

  can("timeout", "fails with SERVICE_TIMEOUT when the first chunk does not come in time, and closes the request", async () => {
    upstream.script({ ending: "hangs" });
    const failure = await failureOf(ask(await upstream.openImpatient()));
    expect(failure.code).toBe("SERVICE_TIMEOUT");
    expect(failure.retry).toBeDefined();
    await upstream.closed();
  });

  can("pieces", "closes the request when the reader goes away", async () => {
    upstream.script({ says: ["A body may "], ending: "hangs" });
    const model = await open();
    for await (const _ of model.generate(request)) break;
    await expect(upstream.closed()).resolves.toBeUndefined();
  });
}

async function failureOf(asked: Promise<unknown>): Promise<TwelveError> {
  const failure = await asked.then(() => undefined, (error: unknown) => error);
  expect(failure).toBeInstanceOf(TwelveError);
  return failure as TwelveError;
}
