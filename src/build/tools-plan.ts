import type { Problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { ToolDeclaration } from "../manifest/tool.ts";
import { argumentsFault, schemaFault } from "../prompt/validate.ts";
import { missingFile, missingProgram } from "./packaged-plan.ts";

export interface ToolCheck {
  /** What no process could open or call. `path` is the field of twelve.yaml. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Whether each declared tool can be opened and called, as far as that can be told without running anything. */
export function checkTools({ tools }: Pick<Manifest, "tools">, packaged: readonly string[]): ToolCheck {
  const named = Object.entries(tools);
  return {
    problems: named.flatMap(([name, tool]) => [...fileProblems(tool, packaged), ...schemaProblems(tool), ...addressProblems(tool)].map((problem) => at(name, problem))),
    warnings: named.flatMap(([name, tool]) => ("mcp" in tool || "module" in tool || tool.description !== undefined ? [] : [at(name, { path: "http" in tool ? "http" : "command", message: "Has no `description`: a model has nothing but the tool's name to choose it by" })])),
  };
}

/** The same for the programs of `command:` types. */
export function checkPrograms({ processes }: Pick<Manifest, "processes">, packaged: readonly string[]): readonly Problem[] {
  return Object.entries(processes).flatMap(([name, process]) => {
    const message = "command" in process ? missingProgram(process.command, packaged) : undefined;
    return message === undefined ? [] : [{ file: "twelve.yaml", path: `processes.${name}.command`, message }];
  });
}

interface Found {
  readonly path: string;
  readonly message: string;
}

function at(name: string, { path, message }: Found): Problem {
  return { file: "twelve.yaml", path: `tools.${name}.${path}`, message };
}

function fileProblems(tool: ToolDeclaration, packaged: readonly string[]): readonly Found[] {
  const found = (path: string, message: string | undefined): readonly Found[] => (message === undefined ? [] : [{ path, message }]);
  if ("command" in tool) return found("command", missingProgram(tool.command, packaged));
  if ("mcp" in tool) return tool.mcp.startsWith("stdio:") ? found("mcp", missingProgram(tool.mcp.slice("stdio:".length), packaged)) : [];
  if (!("module" in tool)) return [];
  return found("module", /\.[cm]?[jt]s$/.test(tool.module) ? missingFile(tool.module, packaged) : `Expected a .ts or .js file, found ${tool.module}`);
}

function schemaProblems(tool: ToolDeclaration): readonly Found[] {
  const parameters = "mcp" in tool ? undefined : tool.parameters;
  if (parameters === undefined) return [];
  const fault = argumentsFault(parameters) ?? schemaFault(parameters);
  return fault === undefined ? [] : [{ path: "parameters", message: fault }];
}

function addressProblems(tool: ToolDeclaration): readonly Found[] {
  if (!("http" in tool)) return [];
  const written = tool.http.replaceAll(/\$\{[^}]*\}/g, "");
  const host = /^https?:\/\/[^/?#]*/.exec(written)?.[0] ?? "";
  if (/[{}]/.test(host)) return [{ path: "http", message: "An argument cannot choose the host: {name} may stand only behind it" }];
  if (tool.parameters === undefined) return [];
  const declared = Object.keys((tool.parameters["properties"] as object | undefined) ?? {});
  const required = tool.parameters["required"];
  const names = [...new Set([...written.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name))];
  return names.flatMap((name) => {
    if (!declared.includes(name)) return [{ path: "http", message: `{${name}} is no parameter.${didYouMean(name, declared)} Declared: ${declared.join(", ") || "none"}` }];
    return Array.isArray(required) && required.includes(name) ? [] : [{ path: "parameters", message: `${name} is part of the address, so it must be \`required\`` }];
  });
}
