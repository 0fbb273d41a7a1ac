/** `node mcp-stdio.ts`: the shop's MCP server over standard input and output. */
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";
import { shopServer } from "./mcp-server.ts";

const server = shopServer({ calls: [], headers: [] });
server.registerTool("environment", { inputSchema: { key: z.string() } }, ({ key }) => ({ content: [{ type: "text", text: `${process.env[key]} ${process.argv.slice(2).join("|")} ${process.pid}` }] }));
server.registerTool("die", { inputSchema: {} }, () => {
  process.stderr.write("out of paper\n");
  process.exit(3);
});
await server.connect(new StdioServerTransport());
