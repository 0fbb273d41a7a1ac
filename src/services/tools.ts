import { readAttachments } from "../config/read.ts";
import type { SourcedValues } from "../config/settings.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { ToolPlace } from "../ports/tool.ts";
import type { Activation } from "../release/schema.ts";
import { planTool } from "../tool/read.ts";
import { problemOf } from "./apply.ts";
import { addressOf } from "./plan.ts";
import { missingRow, type ServiceRow } from "./schema.ts";

interface Where {
  readonly environment: string;
  /** Those of the activation. */
  readonly attachments?: Activation["attachments"] | undefined;
  readonly frozen: SourcedValues;
  readonly secrets: Environment;
}

/** The tools of these agents that are at an address. Modules and programs are part of the code, and no service. */
export async function findTools(context: Pick<Context, "env" | "openConfig">, manifest: Manifest, agents: Readonly<Record<string, { readonly tools?: readonly string[] | undefined }>>, { environment, attachments, frozen, secrets }: Where): Promise<{ readonly places: readonly ToolPlace[]; readonly missing: readonly ServiceRow[] }> {
  const names = [...new Set(Object.values(agents).flatMap(({ tools = [] }) => tools))];
  const remote = names.filter((name) => "http" in (manifest.tools[name] ?? {}) || "mcp" in (manifest.tools[name] ?? {}));
  if (remote.length === 0) return { places: [], missing: [] };
  const values: Environment = {
    ...Object.fromEntries(Object.entries(frozen).flatMap(([key, { value }]) => (value === null ? [] : [[key, String(value)]]))),
    ...(await readAttachments(context, manifest, { environment, attachments })),
    ...secrets,
  };
  const places: ToolPlace[] = [];
  const missing: ServiceRow[] = [];
  for (const name of remote) {
    const declared = manifest.tools[name];
    if (declared === undefined) continue;
    try {
      const place = planTool(name, declared, { folder: "", values, env: {} });
      if (addressOf(place) !== undefined) places.push(place);
    } catch (error) {
      missing.push(missingRow(`tool ${name}`, problemOf(error)));
    }
  }
  return { places, missing };
}
