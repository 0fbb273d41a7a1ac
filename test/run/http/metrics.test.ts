import { describe, expect, it } from "vitest";
import { openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

async function scrape(url: string): Promise<readonly string[]> {
  return (await (await fetch(`${url}/metrics`)).text()).split("\n");
}

const hanging = () => startServer(runtimeOf(openAgent(scriptedModel((request) => saysAndHangs("Hello", request)))));

describe("GET /metrics", () => {
  it("counts requests by route and status, whatever became of them, and no path that a client made up", async () => {
    const { url, post } = await startServer(runtimeOf(openAgent(scriptedModel(() => says("Hello")))));
    await post(ask);
    await post({ ...ask, stream: true }).then((response) => response.text());
    await post({ model: "nobody", messages: ask.messages });
    await post("{");
    await fetch(`${url}/made-up/path?user=1`);
    const response = await fetch(`${url}/metrics`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const lines = (await response.text()).split("\n");
    for (const line of [
      'twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 2',
      'twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="404"} 1',
      'twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="400"} 1',
      'twelve_http_requests_total{method="other",route="other",status="404"} 1',
      'twelve_http_request_duration_seconds_count{method="POST",route="/v1/chat/completions"} 4',
      'twelve_http_time_to_first_byte_seconds_count{method="POST",route="/v1/chat/completions"} 4',
      "twelve_http_requests_in_flight 0",
      "twelve_http_streams_open 0",
    ]) expect(lines).toContain(line);
    expect(lines.join("\n")).not.toContain("made-up");
  });

  it("shows a stream for as long as it is open, and the first byte before its end", async () => {
    const { url } = await hanging();
    const leaving = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...ask, stream: true }), signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    expect(await scrape(url)).toEqual(expect.arrayContaining(["twelve_http_streams_open 1", "twelve_http_requests_in_flight 1"]));
    leaving.abort();
    await expect.poll(() => scrape(url)).toEqual(expect.arrayContaining(["twelve_http_streams_open 0", "twelve_http_requests_in_flight 0", 'twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1']));
  });

  it("counts a client that went away before any answer as 499", async () => {
    const { url } = await hanging();
    const leaving = new AbortController();
    const asking = fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(ask), signal: leaving.signal });
    await expect.poll(() => scrape(url)).toContain("twelve_http_requests_in_flight 1");
    leaving.abort();
    await expect(asking).rejects.toThrow("aborted");
    await expect.poll(() => scrape(url)).toContain('twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="499"} 1');
  });
});
