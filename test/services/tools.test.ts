import { expect, it, onTestFinished } from "vitest";
import command from "../../src/services/command.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { listening } from "../helpers/listen.ts";
import { shopHttp } from "../helpers/mcp-server.ts";
import { startServer } from "../helpers/service-server.ts";
import { makeRelease, manifest, writeFiles } from "../run/release.ts";

const tools = `
tools:
  order: { http: "\${SHOP}/orders/{id}", headers: { Authorization: "Bearer \${API_KEY}" } }
  server: { mcp: "\${MCP}" }
  away: { mcp: "http://127.0.0.1:1/mcp" }
  unset: { http: "\${OTHER}" }
  unused: { http: "http://127.0.0.1:1/unused" }
  local: { module: tools/local.ts }
  program: { mcp: "stdio:no-such-program" }
`;
const text = manifest
  .replace("  API_KEY:", "  SHOP: { kind: attachment, optional: true }\n  MCP: { kind: attachment, optional: true }\n  OTHER: { kind: attachment, optional: true }\n  API_KEY:")
  .replace('chat: { prompt: chat, model: "mock:echo" }', 'chat: { prompt: chat, model: "mock:echo", tools: [order, server, away, unset, local, program] }') + tools;

it("asks the tools of agents that are at an address, of a release and of what it would be made of", async () => {
  const dir = await temporaryFolder();
  const shop = await startServer(() => ({ status: 404, body: {} }));
  onTestFinished(() => shop.close());
  const mcp = `http://127.0.0.1:${await listening(shopHttp().server)}/mcp`;
  await writeFiles(dir, { ".env": `SHOP=${shop.url.replace("//", "//ann:pass@")}\nMCP=${mcp}\nAPI_KEY=k\n` });
  const context = await testContext({ dir });
  await makeRelease(context, text);
  for (const next of [false, true]) {
    const { services } = await command.run(command.input.parse({ env: "staging", next }), context);
    expect(services.filter(({ service }) => service.includes("tool")).map(({ service, url, isReachable, version, detail, problem }) => [service, url, isReachable, version, detail, problem?.code])).toEqual([
      ["address of tool order", `${shop.url}/orders/{id}`, true, null, `${new URL(shop.url).host} answers 404`, undefined],
      ["address of tool server", mcp, true, "shop 1.2.3", "5 tools", undefined],
      ["address of tool away", "http://127.0.0.1:1/mcp", false, null, null, "SERVICE_UNAVAILABLE"],
      ["tool unset", null, false, null, null, "CONFIG_INVALID"],
    ]);
  }
  expect(shop.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["HEAD /", "HEAD /"]);
});
