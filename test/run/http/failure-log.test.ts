import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { fixedClock } from "../../helpers/context.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));

describe("the log of a server", () => {
  it.each([
    ["an agent that is not there", { ...ask, model: "nobody" }, {}, "/v1/chat/completions", { "http.response.status_code": 404, "error.type": "AGENT_UNKNOWN" }],
    ["an unknown field", { ...ask, temprature: 1 }, {}, "/v1/chat/completions", { "http.response.status_code": 400, "error.type": "REQUEST_INVALID", "error.message": expect.stringContaining("temprature") }],
    ["a body that is no JSON", "{", {}, "/v1/responses", { "http.response.status_code": 400 }],
    ["another content type", "model=support", { "content-type": "text/plain" }, "/v1/search", { "http.response.status_code": 415, "error.type": "unsupported_media_type" }],
    ["a method that is not taken", ask, {}, "/v1/models", { "http.response.status_code": 405, "error.type": "method_not_allowed", "http.route": null }],
    ["a path that is nothing's", ask, {}, "/nowhere", { "http.response.status_code": 404, "error.type": "not_found", "http.route": null }],
  ] as const)("has the trace of a request that failed by %s", async (_, body, headers, path, expected) => {
    const { post, lines } = await startServer(answering());
    const response = await post(body, headers, path);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "request-failed", trace_id: response.headers.get("x-trace-id"), "http.request.method": "POST", "http.route": path, "twelve.failed.omitted": 0, ...expected });
    expect(response.status).toBe(expected["http.response.status_code"]);
  });

  it("has the trace of a run that no server may begin any more", async () => {
    const refusing = { ...answering(), answer() { throw new TwelveError("RUN_NOT_TAKEN", "The process is stopping"); } };
    const { post, lines } = await startServer(refusing);
    const response = await post(ask);
    expect(response.status).toBe(503);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ trace_id: response.headers.get("x-trace-id"), "http.response.status_code": 503, "error.type": "RUN_NOT_TAKEN" });
  });

  it("has nothing more about a request that a model answered, nor about probes", async () => {
    const { post, url, lines } = await startServer(answering());
    await post(ask);
    await fetch(`${url}/readyz`);
    expect(lines).toEqual([]);
  });

  it("is not filled by whoever fails on and on, and says how much it left out", async () => {
    let nowMs = 0;
    const { post, lines } = await startServer(answering(), { clock: { ...fixedClock(), monotonicMs: () => nowMs } });
    for (let times = 0; times < 25; times++) await post({});
    expect(lines).toHaveLength(20);
    // Those who are not let in are counted by themselves.
    await post(ask, { origin: "https://evil.example" });
    expect(JSON.parse(lines[20] ?? "")).toMatchObject({ event: "request-refused", "twelve.refused.omitted": 0 });
    nowMs = 1000;
    await post({});
    expect(JSON.parse(lines[21] ?? "")).toMatchObject({ event: "request-failed", "twelve.failed.omitted": 5 });
  });
});
