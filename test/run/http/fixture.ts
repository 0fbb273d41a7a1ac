import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { listen } from "../../../src/run/http/listen.ts";
import { openServer } from "../../../src/run/http/server.ts";
import { trackTraffic } from "../../../src/run/http/traffic.ts";
import { fixedClock } from "../../helpers/context.ts";
import type { FakeRuntime } from "../fixture.ts";

/** A server that does not listen yet. */
export async function openTestServer(runtime: FakeRuntime) {
  const traffic = trackTraffic();
  const lines: string[] = [];
  const app = await openServer({ runtime, traffic, clock: fixedClock(), fingerprint: () => "v3-abcdef", writeLine: (line) => lines.push(line) });
  return { app, traffic, lines };
}

/** A listening server of the test's own, with the official client for it. */
export async function startServer(runtime: FakeRuntime) {
  const { app, traffic, lines } = await openTestServer(runtime);
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  return { app, url, client, traffic, lines, post };
}

export const ask = { model: "support", messages: [{ role: "user", content: "What is the body limit?" }] } as const;
