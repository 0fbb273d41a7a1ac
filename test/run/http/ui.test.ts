import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { policyOf } from "../../../src/run/ui/document.ts";
import type { AnswerRequest } from "../../../src/run/schema.ts";
import type { AskEvent } from "../../../src/run/ui/schema.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { makeTwoReleases, servePage } from "../page/fixture.ts";
import command from "../../../src/run/command.ts";
import { openTestServer, startServer } from "./fixture.ts";

async function askAt(url: string, body: object): Promise<Response> {
  return fetch(`${url}ui/answer`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ agent: "support", messages: [{ role: "user", content: "How large may it be?" }], ...body }) });
}

async function eventsOf(response: Response): Promise<readonly AskEvent[]> {
  return (await response.text()).split("\n\n").filter((text) => text !== "").map((text) => JSON.parse(text.slice("data: ".length)) as AskEvent);
}

describe("the server of the page", () => {
  it("sends one document that lets in nothing but its own style and script", async () => {
    const { url } = await servePage(await makeTwoReleases());
    const response = await fetch(url);
    const html = await response.text();
    expect(Object.fromEntries(["content-type", "x-frame-options", "x-content-type-options", "referrer-policy", "cache-control"].map((name) => [name, response.headers.get(name)]))).toEqual({
      "content-type": "text/html; charset=utf-8", "x-frame-options": "DENY", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store",
    });
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/);
    expect(policy).toBe(policyOf(html));
    expect(policyOf(html.replace("</script>", " </script>"))).not.toBe(policy);
    expect(html).not.toMatch(/(?:src|href)="(?!data:|#)|\son\w+=|style="|@import|url\(/);
  });

  it("lists the releases, newest first, and what each is made of", async () => {
    const { url } = await servePage(await makeTwoReleases());
    expect(await (await fetch(`${url}ui/releases`)).json()).toEqual({
      app: "handbook", environment: "staging", served: 2, agents: ["support", "chat"],
      releases: [
        { number: 2, digest: expect.stringMatching(/^[0-9a-f]{12}$/), createdAt: expect.any(String), message: "More passages", active: ["staging"] },
        { number: 1, digest: expect.any(String), createdAt: expect.any(String), message: null, active: [] },
      ],
    });
    const settings = ((await (await fetch(`${url}ui/releases/1`)).json()) as { settings: { name: string; value: string }[] }).settings;
    expect(settings).toContainEqual({ group: "agent support", name: "retrieve.topK", value: "1" });
    expect((await fetch(`${url}ui/releases/7`)).status).toBe(404);
    expect((await fetch(`${url}ui/releases/x`)).status).toBe(400);
  });

  it("tells what was retrieved before the text, and then what it was", async () => {
    const { url } = await servePage(await makeTwoReleases());
    const events = await eventsOf(await askAt(url, { release: 2 }));
    expect(events.map(({ type }) => type).filter((type, i, types) => type !== types[i - 1])).toEqual(["retrieved", "text", "end"]);
    expect(events[0]).toMatchObject({ chunks: [{ number: 1, document: "docs/limits.md", headings: "Limits", scores: { vector: { rank: 1 } } }, { number: 2 }] });
    expect(events.at(-1)).toMatchObject({ answer: { cited: [1], costUsd: 0, reference: "mock:script:mocks/support.yaml", finishReason: "stop" } });
    const [other] = await eventsOf(await askAt(url, { release: 1 }));
    expect(other).toMatchObject({ type: "retrieved", chunks: [{ number: 1 }] });
  });

  it("tells a failure in the stream, with what to do, and refuses a body that it cannot read", async () => {
    const { url } = await servePage(await makeTwoReleases());
    expect((await eventsOf(await askAt(url, { release: 9 })))[0]).toMatchObject({ type: "error", code: "RELEASE_NOT_FOUND", message: expect.stringContaining("there are v1"), fix: expect.any(String) });
    expect((await eventsOf(await askAt(url, { release: 2, agent: "suport" })))[0]).toMatchObject({ type: "error", code: "AGENT_UNKNOWN" });
    const refused = await askAt(url, { release: "v2" });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: "release" } }]);
  });

  it("tells what was retrieved before the end where it was not known before the text", async () => {
    const model = scriptedModel(() => says("It is so. [1]"));
    const runtime = runtimeOf(openAgent(model));
    const ui = { overview: () => Promise.reject(new Error("not asked")), release: () => Promise.reject(new Error("not asked")), answer: (_: number, { onRetrieved: _told, ...request }: AnswerRequest) => runtime.answer(request), close: () => Promise.resolve() };
    const { url } = await startServer(runtime, { ui });
    const events = await eventsOf(await askAt(`${url}/`, { release: 1 }));
    expect(events.map(({ type }) => type)).toEqual(["text", "retrieved", "end"]);
    expect(events[1]).toMatchObject({ retrievalMs: null, chunks: [{ id: "c-1" }, { id: "c-2" }] });
  });

  it("asks in the name of whoever asks, so that a run is theirs", async () => {
    const runtime = runtimeOf(openAgent(scriptedModel(() => says("yes"))));
    const ui = { overview: () => Promise.reject(new Error("not asked")), release: () => Promise.reject(new Error("not asked")), answer: (_: number, request: AnswerRequest) => runtime.answer(request), close: () => Promise.resolve() };
    const { app } = await openTestServer(runtime, { ui });
    app.addHook("onRequest", (request, _reply, done) => {
      request.caller = { key: "web app" };
      done();
    });
    await app.inject({ method: "POST", url: "/ui/answer", headers: { host: "127.0.0.1" }, payload: { release: 1, agent: "support", messages: [{ role: "user", content: "Hi" }] } });
    expect(runtime.requests).toMatchObject([{ caller: "web app" }]);
  });

  it("says nothing of its insides where the failure is a bug", async () => {
    const ui = { overview: () => Promise.reject(new TwelveError("PROCESS_NOT_READY", "Not yet")), release: () => Promise.reject(new Error("secret")), answer: () => { throw new Error("secret"); }, close: () => Promise.resolve() };
    const { url, lines } = await startServer(runtimeOf(openAgent(scriptedModel(() => says("yes")))), { ui });
    expect((await fetch(`${url}/ui/releases`)).status).toBe(503);
    const [event] = await eventsOf(await askAt(`${url}/`, { release: 1 }));
    expect(event).toMatchObject({ type: "error", code: "internal_error", fix: null });
    expect(JSON.stringify(event)).not.toContain("secret");
    expect(lines.join("\n")).toContain("secret");
  });

  it("tells people who are not at this machine no more of a failure inside than any caller", async () => {
    const failure = new TwelveError("CONFIG_DRIFTED", "TOP_K is 2 in /srv/app/.env");
    const ui = { overview: () => Promise.reject(failure), release: () => Promise.reject(failure), answer: () => { throw failure; }, close: () => Promise.resolve() };
    const told = async (isExposed: boolean) => {
      const { url } = await startServer(runtimeOf(openAgent(scriptedModel(() => says("yes")))), { ui, isExposed });
      return (await eventsOf(await askAt(`${url}/`, { release: 1 })))[0];
    };
    expect(await told(false)).toMatchObject({ code: "CONFIG_DRIFTED", message: "TOP_K is 2 in /srv/app/.env" });
    expect(await told(true)).toEqual({ type: "error", code: "config_drifted", message: expect.not.stringContaining("TOP_K"), fix: null });
  });

  it("is there only when asked for, for a process that answers, and not without any check of who asks", async () => {
    const { url } = await startServer(runtimeOf(openAgent(scriptedModel(() => says("yes")))));
    expect([(await fetch(`${url}/`)).status, (await fetch(`${url}/ui/releases`)).status]).toEqual([404, 404]);
    const app = await makeTwoReleases();
    const run = (input: object): Promise<unknown> => command.run(command.input.parse({ process: "web", env: "staging", ui: true, ...input }), app);
    await expect(run({ insecure: true })).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("--insecure") });
    await expect(run({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "HOST_UNGUARDED" });
    await expect(run({ process: "show" })).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("show serves no agents") });
  });
});
