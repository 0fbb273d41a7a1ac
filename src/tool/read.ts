import { createHash } from "node:crypto";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { ToolDeclaration } from "../manifest/tool.ts";
import type { Checkable } from "../ports/check.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { OpenTool, SourceTool, ToolSource } from "../ports/tool.ts";
import { argumentsFault } from "../prompt/validate.ts";
import { offerTool } from "./call.ts";
import { type Later, type LateSource, openLater } from "./late.ts";
import { namesOf } from "./name-plan.ts";
import { planTool, withValues } from "./plan.ts";

export { planTool } from "./plan.ts";

export interface ToolsToOpen {
  readonly manifest: Pick<Manifest, "tools" | "config">;
  /** Declared names: those of all agents together, so that a server is started once. */
  readonly names: readonly string[];
  /** Where the code of the release is laid out. */
  readonly folder: string;
  /** The release's configuration: frozen values, the environment's attachments with their credentials, and secrets. Modules and programs have it in their environment. */
  readonly values: Environment;
  /** With it, what is away is opened again until it is there, and the story tells. */
  readonly later?: Later | undefined;
}

export interface OpenTools {
  /** What these declared names offer now: an MCP server may change its tools. */
  of(names: readonly string[]): readonly OpenTool[];
  /** Which of these is not there yet, and why. */
  away(names: readonly string[]): { readonly name: string; readonly failure: TwelveError } | undefined;
  /** Each by its declared name, to be asked whether it is there. */
  readonly sources: readonly { readonly name: string; readonly service: Checkable }[];
  close(): Promise<void>;
}

interface Opened {
  readonly name: string;
  readonly declared: ToolDeclaration;
  readonly source: ToolSource | LateSource;
}

/**
 * Opens the tools of a process, all or none, unless some may come later: modules are loaded, programs of MCP servers started, servers asked what they offer. Fails with CONFIG_INVALID,
 * TOOL_INVALID, ADDRESS_REFUSED, or with the SERVICE_ codes for a server that is away.
 */
export async function openTools(context: Pick<Context, "env" | "openTool">, { manifest, names, folder, values, later }: ToolsToOpen): Promise<OpenTools> {
  const surroundings = { folder, values, env: withValues({ ...context.env, ...values }) };
  const places = [...new Set(names)].map((name) => {
    const declared = Object.hasOwn(manifest.tools, name) ? manifest.tools[name] : undefined;
    if (declared === undefined) throw new TwelveError("TOOL_INVALID", `There is no tool "${name}".${didYouMean(name, Object.keys(manifest.tools))}`);
    return { name, declared, place: planTool(name, declared, surroundings) };
  });
  const settled = await Promise.allSettled(places.map(async ({ name, declared, place }): Promise<Opened> => {
    const open = async (): Promise<ToolSource> => {
      const source = await context.openTool(place);
      try {
        requireOffered(name, declared, source);
        requireSchema(name, declared, source);
        return source;
      } catch (error) {
        await source.close();
        throw error;
      }
    };
    try {
      return { name, declared, source: await open() };
    } catch (error) {
      if (later === undefined || !(error instanceof TwelveError) || error.retry === undefined) throw error;
      return { name, declared, source: openLater(open, { ...later, name, first: error }) };
    }
  }));
  const opened = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const close = async (): Promise<void> => void (await Promise.all(opened.map(({ source }) => source.close())));
  const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length > 0) {
    await close();
    // What stays wrong is told before what may pass.
    throw failures.find((failure) => !(failure instanceof TwelveError) || failure.retry === undefined) ?? failures[0];
  }
  const offer = rememberOffers(secretsIn(manifest, values));
  return {
    of: (wanted) => opened.filter(({ name }) => wanted.includes(name)).flatMap((tool) => offered(tool, offer)),
    away(wanted) {
      const away = opened.flatMap(({ name, source }) => {
        const failure = "away" in source && wanted.includes(name) ? source.away() : undefined;
        return failure === undefined ? [] : [{ name, failure }];
      });
      return away[0];
    },
    sources: opened.map(({ name, source }) => ({ name: `tool ${name}`, service: source })),
    close,
  };
}

/** The tools of a server that the manifest lets through. */
function chosen(declared: ToolDeclaration, source: ToolSource): readonly SourceTool[] {
  const only = "mcp" in declared ? declared.only : undefined;
  return source.tools().filter(({ name }) => only === undefined || (name !== undefined && only.includes(name)));
}

type Offer = (tool: SourceTool, name: string, declared: ToolDeclaration) => OpenTool;

/** Agents ask at every step, and a tool's schema is compiled once. */
function rememberOffers(secrets: readonly string[]): Offer {
  const known = new WeakMap<SourceTool, OpenTool>();
  return (tool, name, declared) => {
    const found = known.get(tool);
    if (found?.name === name) return found;
    const made = offerTool(tool, { name, declared, secrets });
    known.set(tool, made);
    return made;
  };
}

function offered({ name, declared, source }: Opened, offer: Offer): readonly OpenTool[] {
  const tools = chosen(declared, source);
  const names = namesOf(name, tools.flatMap((tool) => tool.name ?? []), (tool) => createHash("sha256").update(tool).digest("hex"));
  return tools.map((tool) => offer(tool, tool.name === undefined ? name : (names.get(tool.name) ?? tool.name), declared));
}

/** Fails with TOOL_INVALID for a name of `only` that the server does not have, which is a slip more often than a tool that comes later. */
function requireOffered(name: string, declared: ToolDeclaration, source: ToolSource): void {
  const wanted = ("mcp" in declared ? declared.only : undefined) ?? [];
  const names = source.tools().flatMap((tool) => tool.name ?? []);
  const missing = wanted.filter((tool) => !names.includes(tool));
  const [first] = missing;
  if (first === undefined) return;
  throw new TwelveError("TOOL_INVALID", `The MCP server of tool ${name} has no ${missing.join(", ")}.${didYouMean(first, names)} It has: ${names.join(", ") || "none"}`, { fix: `Correct \`tools.${name}.only\` in twelve.yaml` });
}

/** Fails with TOOL_INVALID for a schema that a module wrote and no arguments can be checked by. A server checks them itself. */
function requireSchema(name: string, declared: ToolDeclaration, source: ToolSource): void {
  const parameters = "module" in declared && declared.parameters === undefined ? source.tools()[0]?.parameters : undefined;
  const fault = parameters === undefined ? undefined : argumentsFault(parameters);
  if ("module" in declared && fault !== undefined) throw new TwelveError("TOOL_INVALID", `The \`parameters\` of ${declared.module}, the module of tool ${name}, cannot be used. ${fault}`, { fix: `Correct them in ${declared.module}, and build again` });
}

/** Shorter ones are words, and would take letters out of everything. */
const shortestSecret = 8;

function secretsIn({ config }: Pick<Manifest, "config">, values: Environment): readonly string[] {
  return Object.entries(config).flatMap(([key, { kind }]) => (kind === "secret" && (values[key]?.length ?? 0) >= shortestSecret ? [values[key] ?? ""] : []));
}
