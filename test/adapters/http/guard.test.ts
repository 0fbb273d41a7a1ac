import dns from "node:dns";
import { createServer } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requestJson } from "../../../src/adapters/http/client.ts";
import { isRefused } from "../../../src/adapters/http/guard.ts";
import { listening } from "../../helpers/listen.ts";
import { shopHttp } from "../../helpers/mcp-server.ts";
import { callOptions, openedTool, openedTools } from "../../helpers/tools.ts";

const refused = [
  "169.254.169.254", "169.254.0.1", "169.254.170.2", "168.63.129.16", "100.100.100.200", "0.0.0.0", "0.1.2.3",
  "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::1", "fe80::1%eth0", "febf::1", "::",
  "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0", "::ffff:168.63.129.16", "64:ff9b::6464:64c8",
  "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "::ffff:0:a9fe:a9fe", "192.0.0.192", "::ffff:192.0.0.192", "fec0::1", "feff::1",
];
const allowed = ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "fd12:3456::1", "100.64.0.1", "8.8.8.8", "169.253.255.255", "169.255.0.1", "168.63.129.17", "2001:4860:4860::8888", "::ffff:127.0.0.1", "64:ff9b:2::1", "::ffff:0:7f00:1", "192.0.0.191", "2002:a9fd::1"];

/** The forms in which an address of metadata can be written. */
const written = ["169.254.169.254", "2852039166", "0xA9FEA9FE", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "[fe80::1]", "[64:ff9b::169.254.169.254]", "0.0.0.0", "0", "[::]", "１６９.254.169.254"];

afterEach(() => vi.restoreAllMocks());

/** What the name server says, one answer after the other, and the last one from then on. */
function naming(...answers: readonly (readonly string[])[]): { readonly asked: string[] } {
  const asked: string[] = [];
  vi.spyOn(dns, "lookup").mockImplementation(((hostname: string, _: object, done: (error: null, addresses: readonly dns.LookupAddress[]) => void) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    done(null, addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
  }) as unknown as typeof dns.lookup);
  return { asked };
}

describe("the guard of tools", () => {
  it.each(refused)("refuses %s", (address) => expect(isRefused(address)).toBe(true));
  it.each(allowed)("lets %s through", (address) => expect(isRefused(address)).toBe(false));

  it.each(written)("refuses http://%s, however it is written, to an endpoint and to an MCP server", async (host) => {
    const refusal = { code: "ADDRESS_REFUSED", retry: undefined, message: expect.stringContaining("an address that tools may not reach") };
    const tool = await openedTool(`order: { http: "http://${host}/latest/meta-data" }`);
    await expect(tool.call({}, callOptions)).rejects.toMatchObject(refusal);
    await expect(openedTools(`shop: { mcp: "http://${host}/mcp" }`)).rejects.toMatchObject(refusal);
  });

  it("refuses a name that leads there, also where it leads elsewhere, too", async () => {
    for (const addresses of [["169.254.169.254"], ["93.184.216.34", "169.254.169.254"], ["::ffff:169.254.169.254"]]) {
      naming(addresses);
      const tool = await openedTool('order: { http: "http://inner.example/" }');
      await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "ADDRESS_REFUSED", message: `tool order: inner.example is ${addresses.at(-1)}, an address that tools may not reach: it is link-local, or a cloud's metadata service` });
      await expect(openedTools('shop: { mcp: "https://inner.example/mcp" }')).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
    }
  });

  it("connects to the very addresses that it has looked at: what a name server says later counts for nothing", async () => {
    const port = await listening(createServer((_, response) => response.end("inside")));
    const { asked } = naming(["127.0.0.1"], ["169.254.169.254"]);
    const tool = await openedTool(`order: { http: "http://rebinding.example:${port}/" }`);
    expect(await tool.call({}, callOptions)).toEqual({ content: "inside", isError: false });
    expect(asked).toEqual(["rebinding.example"]);
  });

  it("asks again for the next connection, and refuses it then", async () => {
    const port = await listening(createServer((_, response) => response.writeHead(200, { connection: "close" }).end("inside")));
    naming(["127.0.0.1"], ["169.254.169.254"]);
    const tool = await openedTool(`order: { http: "http://rebinding-later.example:${port}/" }`);
    expect(await tool.call({}, callOptions)).toMatchObject({ isError: false });
    await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  });

  it("stands in the way of a redirect within an MCP server, too", async () => {
    const shop = shopHttp();
    const port = await listening(createServer((request, response) => {
      if (request.url === "/mcp") response.writeHead(307, { location: "/elsewhere", connection: "close" }).end();
      else shop.server.emit("request", request, response);
    }));
    naming(["127.0.0.1"], ["169.254.169.254"]);
    await expect(openedTools(`shop: { mcp: "http://moving.example:${port}/mcp" }`)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  });

  it("lets through what the manifest allows", async () => {
    const port = await listening(createServer((_, response) => response.end("inside")));
    await expect((await openedTool(`order: { http: "http://0.0.0.0:${port}/" }`)).call({}, callOptions)).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
    expect(await (await openedTool(`order: { http: "http://0.0.0.0:${port}/", allowPrivate: true }`)).call({}, callOptions)).toEqual({ content: "inside", isError: false });
    const shop = await listening(shopHttp().server);
    expect((await openedTools(`shop: { mcp: "http://0.0.0.0:${shop}/mcp", allowPrivate: true }`)).of(["shop"])).toHaveLength(5);
  });

  it("keeps no other service from such an address", async () => {
    const port = await listening(createServer((_, response) => response.end('"inside"')));
    expect(await requestJson({ service: { name: "model", keyName: "KEY", key: undefined }, url: `http://0.0.0.0:${port}/` })).toBe("inside");
  });
});
