import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readDocument } from "../../src/artifact/document.ts";
import { buildKind } from "../../src/build/schema.ts";
import { codeFolder } from "../../src/code/folder.ts";
import { layOutCode } from "../../src/code/layout.ts";
import { readActive } from "../../src/release/read.ts";
import { openAgentTools } from "../../src/run/tools.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { listening } from "../helpers/listen.ts";
import { shopHttp } from "../helpers/mcp-server.ts";
import { startServer } from "../helpers/service-server.ts";
import { callOptions } from "../helpers/tools.ts";
import { makeRelease, writeFiles } from "./release.ts";

const manifest = `
name: handbook
config:
  CHAT_MODEL: { default: "mock:echo" }
  CURRENCY: { default: EUR }
  SHOP: { kind: attachment, optional: true }
  MCP: { kind: attachment, optional: true }
  SHOP_KEY: { kind: secret }
indexes:
  docs: { source: [docs], embedder: "hash:64" }
agents:
  support: { prompt: chat, model: "\${CHAT_MODEL}", tools: [order, look, server] }
  seller: { prompt: chat, model: "\${CHAT_MODEL}", tools: [look] }
  plain: { prompt: chat, model: "\${CHAT_MODEL}" }
tools:
  order: { http: "\${SHOP}/orders/{id}", method: GET, headers: { Authorization: "Bearer \${SHOP_KEY}" } }
  look: { module: tools/look.ts }
  server: { mcp: "\${MCP}", only: [find] }
environments: { staging: { config: "dotenv:.env" } }
`;
const look = 'export default { description: "Looks", execute: (): readonly unknown[] => ["CURRENCY", "SHOP", "SHOP_KEY", "TWELVE_RELEASE", "TWELVE_ENVIRONMENT"].map((key) => process.env[key] ?? null) };\n';

/** A release in staging, and its tools as a process of another day opens them. */
async function released({ env = {}, later = {} }: { readonly env?: Readonly<Record<string, string>>; readonly later?: Readonly<Record<string, string>> } = {}) {
  const dir = await temporaryFolder();
  const shop = await startServer(() => ({ body: { total: 12 } }));
  onTestFinished(() => shop.close());
  const mcp = `http://127.0.0.1:${await listening(shopHttp().server)}/mcp`;
  await writeFiles(dir, { ".env": `SHOP_KEY=s3cret-value\nSHOP=${shop.url.replace("//", "//ann:pass@")}\nMCP=${mcp}\n` });
  const context = await testContext({ dir, env });
  await makeRelease(context, manifest, { "tools/look.ts": look });
  const process = await testContext({ dir, env: { ...env, ...later }, store: await context.store() });
  const open = async (agents: readonly string[]) => {
    const store = await process.store();
    const active = await readActive(store, "handbook", "staging");
    const build = await readDocument(store, buildKind, active.release.build);
    const folder = codeFolder(dir, build.code);
    await layOutCode(store, build.code, folder);
    const opened = await openAgentTools(process, { release: active, manifest: build.manifest, environment: "staging", attachments: active.activation.attachments, secrets: { SHOP_KEY: "s3cret-value" }, folder, agents });
    onTestFinished(async () => opened?.close());
    return opened;
  };
  return { dir, shop, open };
}

describe("the tools of a release's agents", () => {
  it("run in the release's code, with its configuration, the environment's attachments and its secrets", async () => {
    const { dir, shop, open } = await released();
    await writeFiles(dir, { "tools/look.ts": "changed since" });
    const tools = await open(["support", "plain"]);
    const offered = tools?.of(["order", "look", "server"]) ?? [];
    expect(offered.map(({ name }) => name)).toEqual(["order", "look", "server_find"]);
    const [order, module, find] = offered;
    expect(await order?.call({ id: "7" }, callOptions)).toEqual({ content: '{"total":12}', isError: false });
    expect(shop.requests).toMatchObject([{ method: "GET", path: "/orders/7", headers: { authorization: "Bearer s3cret-value" } }]);
    expect(JSON.parse((await module?.call({}, callOptions))?.content ?? "")).toEqual(["EUR", shop.url.replace("//", "//ann:pass@"), "s3cret-value", "v1", "staging"]);
    expect(await find?.call({ id: "A-1" }, callOptions)).toMatchObject({ isError: false });
  });

  it("are at the services that were activated, whatever the environment names by now", async () => {
    const { shop, open } = await released({ later: { SHOP: "https://elsewhere.example" } });
    const [order] = (await open(["support"]))?.of(["order"]) ?? [];
    expect(await order?.call({ id: "7" }, callOptions)).toMatchObject({ isError: false });
    expect(shop.requests).toHaveLength(1);
  });

  it("are opened only for agents that name them", async () => {
    const { open } = await released();
    expect(await open(["plain"])).toBeUndefined();
    expect((await open(["seller"]))?.sources.map(({ name }) => name)).toEqual(["tool look"]);
  });

  it("say which key is missing", async () => {
    const dir = await temporaryFolder();
    await writeFiles(dir, { ".env": "SHOP_KEY=s3cret-value\n" });
    const context = await testContext({ dir });
    await makeRelease(context, manifest, { "tools/look.ts": look });
    const active = await readActive(await context.store(), "handbook", "staging");
    const build = await readDocument(await context.store(), buildKind, active.release.build);
    const opening = openAgentTools(context, { release: active, manifest: build.manifest, environment: "staging", attachments: active.activation.attachments, secrets: {}, folder: join(dir, "code"), agents: ["support"] });
    await expect(opening).rejects.toMatchObject({ code: "CONFIG_INVALID", problems: [{ path: "tools.order.http", message: "SHOP is not set" }, { path: "tools.order.headers.Authorization", message: "SHOP_KEY is not set" }] });
  });
});
