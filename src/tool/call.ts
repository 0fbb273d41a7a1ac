import type { Json } from "../core/canonical-json.ts";
import { formatLocation, type Problem } from "../core/errors.ts";
import type { ToolDeclaration } from "../manifest/tool.ts";
import type { Tool } from "../ports/model.ts";
import type { OpenTool, SourceTool, ToolResult } from "../ports/tool.ts";
import { prepareArguments } from "../prompt/validate.ts";

interface Offering {
  readonly name: string;
  readonly declared: ToolDeclaration;
  /** Values that no error tells a model. */
  readonly secrets: readonly string[];
}

/** A tool as a model may call it: what the manifest says stands above what the tool says of itself, and arguments are checked first. */
export function offerTool(tool: SourceTool, { name, declared, secrets }: Offering): OpenTool {
  const own = declared as { readonly description?: string; readonly parameters?: Tool["parameters"] };
  const description = own.description ?? tool.description;
  const parameters = own.parameters ?? tool.parameters ?? ("http" in declared ? addressParameters(declared.http) : { type: "object", properties: {} });
  const isIdempotent = declared.idempotent ?? tool.isIdempotent ?? true;
  let check: ReturnType<typeof prepareArguments> | undefined;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    parameters,
    isIdempotent,
    needsApproval: declared.approve,
    async call(given, options) {
      options.signal.throwIfAborted();
      const problems = (check ??= prepareArguments(parameters))(given);
      if (problems.length > 0) return { content: `The arguments do not fit: ${problems.map(problemText).join("; ")}`, isError: true };
      return withoutSecrets(await tool.call(given, { ...options, mayRepeat: isIdempotent }), secrets);
    },
  };
}

/** Without a schema of its own, an endpoint takes what its address has a place for. */
function addressParameters(address: string): Tool["parameters"] {
  const names = [...new Set([...address.matchAll(/(?<!\$)\{([A-Za-z_][\w-]*)\}/g)].map(([, name = ""]) => name))];
  const properties: Readonly<Record<string, Json>> = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  return { type: "object", properties, required: names, additionalProperties: false };
}

function problemText(problem: Problem): string {
  const place = problem.path ?? formatLocation(problem);
  return place === "" ? problem.message : `${place}: ${problem.message}`;
}

/** Programs and libraries repeat in an error what they were given. */
function withoutSecrets(result: ToolResult, secrets: readonly string[]): ToolResult {
  if (!result.isError) return result;
  return { ...result, content: secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), result.content) };
}
