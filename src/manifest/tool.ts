import { z } from "zod";

const Headers = z.record(z.string().regex(/^[A-Za-z0-9-]+$/, "Expected the name of a header"), z.string()).meta({ description: "Headers to send; ${KEY} of a secret is replaced when a process starts" });
const JsonSchema = z.record(z.string(), z.json());
const idempotence = "Whether a call may be made again where a process was lost in the middle of it; with false it is never made twice, and the model is told that its outcome is unknown";
const idempotent = { idempotent: z.boolean().default(true).meta({ description: idempotence }) };
const toolShape = {
  approve: z.boolean().default(false).meta({ description: "Wait until a person has approved each call" }),
  timeoutSeconds: z.number().positive().max(3600).default(60).meta({ description: "How long one call may take" }),
};
const ownSchema = {
  description: z.string().optional().meta({ description: "What the tool does, for the model" }),
  parameters: JsonSchema.optional().meta({ description: "JSON Schema of the arguments, an object" }),
};
const reach = { allowPrivate: z.boolean().default(false).meta({ description: "Whether link-local and metadata addresses may be reached" }) };
const ToolAddress = z.string().regex(/^(?:https?:|\$\{)/, "Expected http://, https:// or ${KEY} of an attachment");
const ModuleTool = z.strictObject({ module: z.string().min(1).meta({ description: "File of the code whose default export is the tool: tools/order.ts" }), ...ownSchema, ...idempotent, ...toolShape });
const CommandTool = z.strictObject({ command: z.string().min(1).meta({ description: "Command line that takes the arguments as JSON on standard input and writes its result to standard output" }), ...ownSchema, ...idempotent, ...toolShape });
const HttpTool = z.strictObject({
  http: ToolAddress.meta({ description: "Address that is sent the arguments: in the query with GET and DELETE, else as a JSON body; {name} in its path or query is replaced by an argument" }),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST").meta({ description: "Method of the request" }),
  headers: Headers.optional(), ...reach, ...ownSchema, ...idempotent, ...toolShape,
});
const McpTool = z.strictObject({
  mcp: z.string().regex(/^(?:https?:|stdio:|\$\{)/, "Expected an address of streamable HTTP, `stdio:` and a command line, or ${KEY} of an attachment").meta({ description: "MCP server, all of whose tools are offered: https://host/mcp, or stdio:command" }),
  only: z.array(z.string().min(1)).min(1).optional().meta({ description: "Names of the server's tools to offer; all by default" }),
  headers: Headers.optional(), ...reach,
  idempotent: z.boolean().optional().meta({ description: `${idempotence}. By default what the server says of each tool, and true where it says nothing` }),
  ...toolShape,
});
/** A tool, or a server of tools, that agents may name. */
export const ToolDeclaration = z.union([ModuleTool, CommandTool, HttpTool, McpTool]);
export type ToolDeclaration = z.infer<typeof ToolDeclaration>;
