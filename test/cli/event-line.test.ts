import { describe, expect, it } from "vitest";
import { formatEvent, type Paint } from "../../src/cli/event-line.ts";

const plain: Paint = (_, text) => text;
const toned: Paint = (tone, text) => `<${tone}>${text}</>`;
const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const frame = { "twelve.app": "shop", "twelve.environment": "production", "twelve.release.number": 3, "twelve.release.digest": "sha256:abc" };

function line(event: string, fields: object, paint = plain, speaker?: string): string {
  return formatEvent(JSON.stringify({ event, time: "2026-11-25T18:44:12.345Z", ...frame, ...fields }), { paint, speaker });
}

const call = {
  trace_id: trace, span_id: "00f067aa0ba902b7", "gen_ai.operation.name": "chat", "gen_ai.agent.name": "support", "gen_ai.prompt.name": "answer", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt", "gen_ai.response.model": "gpt-2026", "gen_ai.usage.input_tokens": 1204, "gen_ai.usage.output_tokens": 88,
  "gen_ai.response.finish_reasons": ["stop"], "twelve.duration_ms": 812.345, "twelve.retrieval_ms": 3.2, "twelve.cost.amount": 0.001234, "twelve.cost.currency": "USD", "twelve.aborted": false, "twelve.fallback.used": false, "twelve.fallback.failed": [], "twelve.response.text": null, "error.type": null, "error.message": null,
};

describe("an event on a terminal", () => {
  it("is a model call in one line: who answered, how it ended, time, tokens, cost and the beginning of the trace", () => {
    expect(line("model-call-finished", call)).toBe("18:44:12  model-call-finished  support  gpt-2026  stop  812 ms  1,204 → 88 tokens  $0.0012  trace 4bf92f35");
  });

  it("leaves out a cost that is not known, and names the key and the other model that answered", () => {
    const fields = { ...call, "twelve.cost.amount": null, "twelve.duration_ms": 12_345, "twelve.fallback.used": true, "twelve.key.name": "web" };
    expect(line("model-call-finished", fields)).toBe("18:44:12  model-call-finished  support  gpt-2026  (fallback)  stop  12.3 s  1,204 → 88 tokens  key web  trace 4bf92f35");
  });

  it("tells a failure by its code and message, in red, and what was the caller's doing in another colour", () => {
    const failed = { ...call, "gen_ai.response.model": null, "gen_ai.usage.input_tokens": null, "gen_ai.response.finish_reasons": ["error"], "twelve.cost.amount": null, "error.type": "SERVICE_CUT", "error.message": "It broke off" };
    expect(line("model-call-finished", failed, toned)).toBe("<faint>18:44:12</>  <bad>model-call-finished</>  support  gpt  812 ms  trace 4bf92f35  SERVICE_CUT  It broke off");
    expect(line("model-call-finished", { ...failed, "twelve.aborted": true, "error.type": "AbortError" }, toned)).toContain("<aside>model-call-finished</>  support  gpt  the client went away  812 ms  trace 4bf92f35");
    const refused = { trace_id: trace, "http.request.method": "POST", "http.route": "/v1/search", "http.response.status_code": 400, "error.type": "REQUEST_INVALID", "error.message": "No", "twelve.failed.omitted": 0 };
    expect(line("request-failed", refused, toned)).toBe("<faint>18:44:12</>  <aside>request-failed</>  POST  /v1/search  400  trace 4bf92f35  REQUEST_INVALID  No");
    expect(line("request-failed", { ...refused, "http.response.status_code": 502, "twelve.failed.omitted": 3 }, toned)).toMatch(/<bad>request-failed<\/>  failed\.omitted=3  POST/);
  });

  it("is a request that asked no model in one line, too", () => {
    const found = { trace_id: trace, "http.request.method": "POST", "http.route": "/v1/search", "http.response.status_code": 200, "twelve.duration_ms": 9.2, "twelve.index.name": "docs", "twelve.retrieval.hits": 1 };
    expect(line("request-finished", found)).toBe("18:44:12  request-finished  POST  /v1/search  200  9 ms  index docs  1 hit  trace 4bf92f35");
    expect(line("request-finished", { "gen_ai.usage.input_tokens": 1 })).toBe("18:44:12  request-finished  1 token");
  });

  it("has the calls of a bug below it", () => {
    const shown = line("request-failed", { trace_id: trace, "error.type": "TypeError", "exception.stacktrace": "TypeError: x\n    at f (a.ts:1:2)" });
    expect(shown.split("\n")).toEqual(["18:44:12  request-failed  trace 4bf92f35  TypeError", "    TypeError: x", "    at f (a.ts:1:2)"]);
  });

  it("is its name and its first few fields where nothing is known about it", () => {
    expect(line("moon-risen", { moon: "full", "twelve.height": 3, nothing: null, no: false, yes: true, list: ["a"], deep: { a: 1 } })).toBe("18:44:12  moon-risen  moon=full  height=3  yes=true");
    expect(line("moon-risen", Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, "x"]))).match(/=x/g)).toHaveLength(6);
  });

  it("names the process that it is about, unless the line begins with it", () => {
    const exited = { "twelve.instance": "web.1", "process.pid": 7, "process.exit_code": 1 };
    expect(line("process-exited", exited, plain, "twelve")).toBe("18:44:12  process-exited  instance=web.1  process.exit_code=1");
    expect(line("process-exited", exited, plain, "web.1")).toBe("18:44:12  process-exited  process.exit_code=1");
  });

  it("steers no terminal and fills no screen, whatever a service said", () => {
    const shown = line("request-failed", { "error.type": "X", "error.message": `a\u001b[2Jb\r\nc\u202ed${"e".repeat(1000)}` });
    expect(shown).toMatch(/^18:44:12 {2}request-failed {2}X {2}a \[2Jb c de+…$/);
    expect(shown.length).toBeLessThan(300);
  });

  it.each(["Listening on 3000", '{"event":"sold","time":"2026-11-25T18:44:12.345Z","price":3}', '{"event":"cut","time":"2026', '{"level":"info"}'])("leaves the line of a program of the application as it is: %s", (text) => {
    expect(formatEvent(text, { paint: plain })).toBe(text);
  });
});
