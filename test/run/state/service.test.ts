import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { Manifest } from "../../../src/manifest/schema.ts";
import { type StatePlace, stateService } from "../../../src/run/state/service.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";

const manifest = Manifest.parse({ name: "demo", config: { STATE_URL: { kind: "attachment", optional: true } }, environments: { staging: {} } });

function service(change: Partial<StatePlace> = {}, { url = "redis://user:secret@state", failures = 0 }: { readonly url?: string; readonly failures?: number } = {}) {
  const asked: unknown[] = [];
  const warned: string[] = [];
  let closed = 0;
  const story = { note: () => {}, warn: (message: string) => void warned.push(message), progress: () => ({ update: () => {}, done: () => {}, stop: () => {} }) };
  const opened = stateService({
    env: { STATE_URL: url },
    story,
    openConfig: () => Promise.reject(new Error("No configuration")),
    openSessions(...args) {
      asked.push(args);
      if (asked.length <= failures) return Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "away"));
      return Promise.resolve({ ...openMemorySessions(), close: () => Promise.resolve(void (closed += 1)) });
    },
  }, { manifest, environment: "staging", attachments: { STATE_URL: { url: "redis://state" } }, secrets: { KEY: "value" }, ...change });
  return { opened, asked, warned, closed: () => closed };
}

describe("the state service of a runtime", () => {
  it("is opened once, by whoever asks first, with the environment's credentials and secrets, and closed with the runtime", async () => {
    const { opened, asked, warned, closed } = service();
    expect(asked).toEqual([]);
    const [left, right] = await Promise.all([opened.open(), opened.open()]);
    expect([left === right, asked, warned]).toEqual([true, [["redis://user:secret@state", { KEY: "value" }]], []]);
    await opened.close();
    expect(closed()).toBe(1);
  });

  it("is opened again after a failure", async () => {
    const { opened, asked } = service({}, { failures: 1 });
    await expect(opened.open()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    await opened.open();
    expect(asked).toHaveLength(2);
  });

  it("is the one of the activation, and says so where the environment names another one by now", async () => {
    const { opened, asked, warned } = service({}, { url: "redis://other" });
    await opened.open();
    expect([asked, warned]).toEqual([[["redis://state", { KEY: "value" }]], [expect.stringContaining("STATE_URL is redis://other now, but the release was activated with redis://state")]]);
  });

  it("is none outside every environment, and need not be closed where it was never opened", async () => {
    const { opened, closed } = service({ environment: null });
    await expect(opened.open()).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    await opened.close();
    expect(closed()).toBe(0);
  });
});
