import { describe, expect, it } from "vitest";
import type { RuntimePart } from "../../src/run/health.ts";
import { tellReadiness } from "../../src/run/readiness.ts";

const ok: RuntimePart = { name: "release", isReady: true, detail: "v3" };
const away = (name: string, detail = "nothing answers"): RuntimePart => ({ name, isReady: false, detail });

function telling() {
  const told: unknown[] = [];
  const tell = tellReadiness({
    url: "http://127.0.0.1:3000",
    write: (event, fields) => told.push([event, fields]),
    story: { note: (message) => told.push(message), warn: (message) => told.push(message) },
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
    for (const parts of [[ok, away("index docs")], [ok, away("index docs", "still nothing")], [ok], [ok, away("model x")], [ok, away("model x"), away("model y")], [ok]]) tell(parts);
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
});
