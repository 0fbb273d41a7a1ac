import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { Agent } from "undici";
import type { McpPlace } from "../../../ports/tool.ts";
import { openAgent } from "../../http/send.ts";
import { readAddress } from "../address.ts";

export interface OpenTransport {
  readonly transport: Transport;
  /** The end of what the server's program wrote to stderr; empty for one that is reached over the network. */
  readonly said: () => string;
  /** Tells a server that keeps sessions that this one is over. */
  readonly leave: () => Promise<void>;
}

const keptCharacters = 4000;
const largestAnswerBytes = 32 * 1024 * 1024;
let open: Promise<Agent> | undefined;
let guarded: Promise<Agent> | undefined;

/** The way to a server: a program that is started for it, or an address. */
export async function openTransport(place: McpPlace): Promise<OpenTransport> {
  const { server } = place;
  return "url" in server ? openHttp(place, server.url) : openProgram(place, server.command);
}

async function openProgram({ env, folder }: McpPlace, [command, ...args]: readonly [string, ...string[]]): Promise<OpenTransport> {
  const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
  const given = Object.fromEntries(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  const transport = new StdioClientTransport({ command, args, cwd: folder, env: given, stderr: "pipe" });
  let said = "";
  transport.stderr?.on("data", (part: Buffer) => (said = (said + part.toString("utf8")).slice(-keptCharacters)));
  return { transport, said: () => said, leave: () => Promise.resolve() };
}

async function openHttp({ headers, isPrivateAllowed }: McpPlace, written: string): Promise<OpenTransport> {
  const [{ StreamableHTTPClientTransport }, { default: undici }, agent] = await Promise.all([
    import("@modelcontextprotocol/sdk/client/streamableHttp.js"),
    import("undici/lib/web/fetch/index.js"),
    isPrivateAllowed ? (open ??= openAgent({ isGuarded: false, largestAnswerBytes })) : (guarded ??= openAgent({ isGuarded: true, largestAnswerBytes })),
  ]);
  const address = readAddress(written, headers);
  // Each redirect that the client follows, which leads nowhere else, comes by here, too.
  const guardedFetch = (url: string | URL, init: RequestInit = {}): Promise<Response> => undici.fetch(url, { ...init, dispatcher: agent });
  const transport = new StreamableHTTPClientTransport(new URL(address.url), { fetch: guardedFetch, requestInit: { headers: address.headers } });
  return { transport, said: () => "", leave: () => transport.terminateSession() };
}
