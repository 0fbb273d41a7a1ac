import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { Access } from "../../../src/run/http/access.ts";
import type { ServerOptions } from "../../../src/run/http/api.ts";
import { listen } from "../../../src/run/http/listen.ts";
import { openServer } from "../../../src/run/http/server.ts";
import { trackTraffic } from "../../../src/run/http/traffic.ts";
import { fixedClock } from "../../helpers/context.ts";
import type { OpenedRuntime } from "../../../src/run/apply.ts";

/** As `twelve run` without keys on 127.0.0.1. */
const open: Access = { keys: null, origins: [], isHostChecked: true, bodyBytes: 1024 * 1024, answerMs: 600_000 };

/** A server that does not listen yet. */
export async function openTestServer(runtime: OpenedRuntime, { access = {}, ...change }: { readonly access?: Partial<Access> | "unknown" } & Partial<Omit<ServerOptions, "access">> = {}) {
  const traffic = trackTraffic();
  const lines: string[] = [];
  const app = await openServer({
    runtime, traffic, clock: fixedClock(), access: () => (access === "unknown" ? undefined : { ...open, ...access }), notReady: () => new TwelveError("PROCESS_NOT_READY", "Not yet"), isExposed: false,
    fingerprint: () => "v3-abcdef", write: (event, fields) => lines.push(JSON.stringify({ event, ...fields })), ...change,
  });
  return { app, traffic, lines };
}

/** A listening server of the test's own, with the official client for it. */
export async function startServer(runtime: OpenedRuntime, change: Parameters<typeof openTestServer>[1] = {}) {
  const { app, traffic, lines } = await openTestServer(runtime, change);
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
  const post = (body: unknown, headers: Record<string, string> = {}, path = "/v1/chat/completions"): Promise<Response> =>
    fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  return { app, url, client, traffic, lines, post };
}

export const ask = { model: "support", messages: [{ role: "user", content: "What is the body limit?" }] } as const;
