import { TwelveError } from "../core/errors.ts";
import { formatPath } from "../core/problems.ts";
import type { ToolDeclaration } from "../manifest/tool.ts";
import { referencesIn, resolveReferences } from "../manifest/setting.ts";
import type { Environment } from "../ports/context.ts";
import type { ToolPlace } from "../ports/tool.ts";

export interface ToolSurroundings {
  /** Where the code of the release is laid out. */
  readonly folder: string;
  /** What `${KEY}` stands for: the release's configuration, with the environment's attachments and secrets. */
  readonly values: Environment;
  /** The whole environment that modules and programs run in. */
  readonly env: Environment;
}

/** Where a declared tool is, every `${KEY}` replaced. Fails with CONFIG_INVALID for a key without a value, and for a value that is no address. */
export function planTool(name: string, declared: ToolDeclaration, { folder, values, env }: ToolSurroundings): ToolPlace {
  const missing = missingKeys(declared, values);
  if (missing.length > 0) {
    throw new TwelveError("CONFIG_INVALID", `The tool ${name} cannot be opened: ${missing.length === 1 ? "a key has" : `${missing.length} keys have`} no value`, {
      problems: missing.map(({ key, path }) => ({ path: formatPath(["tools", name, ...path]), message: `${key} is not set` })),
      fix: `Set ${[...new Set(missing.map(({ key }) => key))].join(", ")} in the environment's configuration, and release again where it is frozen or an attachment`,
    });
  }
  const shared = { name, timeoutMs: declared.timeoutSeconds * 1000 };
  if ("module" in declared) return { kind: "module", ...shared, file: declared.module, folder, env };
  // What is in it is the shell's: it knows the keys as variables.
  if ("command" in declared) return { kind: "command", ...shared, command: declared.command, folder, env };
  const given = withValues(values);
  const resolved = resolveReferences(declared, given) as typeof declared;
  const remote = { ...shared, headers: resolved.headers ?? {}, isPrivateAllowed: declared.allowPrivate };
  if ("http" in resolved) return { kind: "http", ...remote, url: requireAddress(name, "http", resolved.http), method: resolved.method };
  if (!resolved.mcp.startsWith(program)) return { kind: "mcp", ...remote, folder, env, server: { url: requireAddress(name, "mcp", resolved.mcp) } };
  // Cut before the keys are replaced: a value with a space in it is one word all the same.
  const line = "mcp" in declared && declared.mcp.startsWith(program) ? declared.mcp : resolved.mcp;
  const [command, ...args] = wordsOf(line.slice(program.length)).map((word) => String(resolveReferences(word, given)));
  if (command === undefined) throw new TwelveError("CONFIG_INVALID", `The tool ${name} has no command behind ${program}`, { fix: 'Write `mcp: "stdio:program argument"`' });
  return { kind: "mcp", ...remote, folder, env, server: { command: [command, ...args] } };
}

const program = "stdio:";

/** Only where a key is replaced: a command is the shell's. */
function missingKeys(declared: ToolDeclaration, values: Environment): ReturnType<typeof referencesIn> {
  const { http, mcp, headers } = declared as { readonly http?: string; readonly mcp?: string; readonly headers?: object };
  return referencesIn({ http, mcp, headers }).filter(({ key }) => values[key] === undefined || values[key] === "");
}

/** Only what is set: a thread would take the rest for the word `undefined`. */
export function withValues(values: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function requireAddress(name: string, field: string, address: string): string {
  if (/^https?:\/\/[^/?#{}]+(?:[/?#]|$)/i.test(address) && URL.canParse(address)) return address;
  // The value is not repeated: it may hold a password.
  throw new TwelveError("CONFIG_INVALID", `The tool ${name} has an address that is none`, { problems: [{ path: `tools.${name}.${field}`, message: "Expected http://host/path or https://host/path, with {name} only behind the host" }], fix: "Correct it, or the configuration key that gives it" });
}

/** As a shell cuts a line into words, quotes included, and does nothing else. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
