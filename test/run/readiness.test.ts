import { describe, expect, it } from "vitest";
import { type FailureCode, TwelveError } from "../../src/core/errors.ts";
import type { RuntimePart } from "../../src/run/health.ts";
import { tellReadiness } from "../../src/run/readiness.ts";

const ok: RuntimePart = { name: "release", isReady: true, detail: "v3" };
const away = (name: string, detail = "nothing answers", code: FailureCode = "SERVICE_UNAVAILABLE"): RuntimePart => ({ name, isReady: false, detail, failure: new TwelveError(code, detail) });

function telling(ageMs = 0) {
  const told: unknown[] = [];
  const tell = tellReadiness({
    url: "http://127.0.0.1:3000",
    write: (event, fields) => told.push([event, fields]),
    story: { note: (message) => told.push(message), warn: (message) => told.push(message) },
    ageMs: () => ageMs,
    greet: () => told.push("Ready"),
  });
  return { told, tell };
}

describe("tellReadiness", () => {
  it("tells a server that is ready at once, and nothing more while it stays so", () => {
    const { told, tell } = telling();
    for (let look = 0; look < 3; look++) tell([ok]);
    expect(told).toEqual([["server-ready", {}], "Ready"]);
  });

  it("tells each change, with the parts that are missing and why", () => {
    const { told, tell } = telling();
    for (const parts of [[ok, away("index docs")], [ok], [ok, away("model x")], [ok, away("model x"), away("model y")], [ok]]) tell(parts);
    expect(told).toEqual([
      ["server-not-ready", { checks: { "index docs": "nothing answers" } }],
      "http://127.0.0.1:3000 is not ready: index docs: nothing answers",
      ["server-ready", {}],
      "Ready",
      ["server-not-ready", { checks: { "model x": "nothing answers" } }],
      "http://127.0.0.1:3000 is not ready: model x: nothing answers",
      ["server-not-ready", { checks: { "model x": "nothing answers", "model y": "nothing answers" } }],
      "http://127.0.0.1:3000 is not ready: model x: nothing answers; model y: nothing answers",
      ["server-ready", {}],
      "http://127.0.0.1:3000 is ready again",
    ]);
  });

  it("tells nothing of a release that is only being opened for the first seconds, as every one is, but of a failure at once", () => {
    const opening: RuntimePart = { name: "release", isReady: false, detail: "v5 is being opened, for 1 s by now" };
    const soon = telling(4900);
    for (const parts of [[opening], [opening], [ok]]) soon.tell(parts);
    expect(soon.told).toEqual([["server-ready", {}], "Ready"]);
    const late = telling(5000);
    late.tell([opening]);
    expect(late.told).toEqual([["server-not-ready", { checks: { release: opening.detail } }], `http://127.0.0.1:3000 is not ready: release: ${opening.detail}`]);
    const failed = telling(10);
    failed.tell([opening, away("index docs")]);
    expect(failed.told).toHaveLength(2);
  });

  it("tells nothing of a service that begins, however long, but of what is missing beside it", () => {
    const { told, tell } = telling(20_000);
    const begins = away("state", "is starting", "PROCESS_NOT_READY");
    for (const parts of [[ok, begins], [ok, begins], [ok]]) tell(parts);
    expect(told).toEqual([["server-ready", {}], "Ready"]);
    tell([begins, away("model x")]);
    expect(told.at(-1)).toBe("http://127.0.0.1:3000 is not ready: state: is starting; model x: nothing answers");
  });

  it("tells again when the reason changes, but not for counters, seconds and the IDs of requests", () => {
    const { told, tell } = telling(6000);
    const seen = [
      { name: "release", isReady: false, detail: "being looked up in s3://bucket, for 1 s by now" },
      { name: "release", isReady: false, detail: "being looked up in s3://bucket, for 2 s by now" },
      { ...away("release", "s3://bucket cannot be reached (request 1f2e)"), detail: "s3://bucket cannot be reached (request 1f2e); asked once in 3 s, and again soon" },
      { ...away("release", "s3://bucket cannot be reached (request 77ab)"), detail: "s3://bucket cannot be reached (request 77ab); asked 2 times in 5 s, and again soon" },
      away("release", "s3://bucket cannot be reached (the certificate has expired)"),
      away("release", "s3://bucket cannot be reached (the certificate has expired)", "SERVICE_DENIED"),
    ];
    for (const part of seen) tell([part]);
    expect(told.filter((each) => Array.isArray(each))).toEqual([seen[0], seen[2], seen[4], seen[5]].map((part) => ["server-not-ready", { checks: { release: part?.detail } }]));
  });
});
