import { readAttachments } from "../config/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { Activation } from "../release/schema.ts";
import type { Story } from "../ports/story.ts";
import { openTools, type OpenTools } from "../tool/read.ts";
import { releaseEnvironment } from "./environment.ts";
import type { ReleaseToRun } from "./named.ts";

interface AgentTools {
  readonly release: ReleaseToRun;
  /** That of the build. */
  readonly manifest: Manifest;
  readonly environment: string | null;
  /** Those of the activation; without them the environment's of now are taken. */
  readonly attachments: Activation["attachments"] | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  /** Where the code is laid out. */
  readonly folder: string;
  readonly agents: readonly string[];
  /** Told of tools that are away, by a process that can do without them for a while. */
  readonly story?: Pick<Story, "note" | "warn"> | undefined;
}

/** Opens the tools of these agents of a release, each once; undefined where none of them has any. Fails as `openTools` does. */
export async function openAgentTools(context: Pick<Context, "env" | "openConfig" | "openTool">, { release, manifest, environment, attachments, secrets, folder, agents, story }: AgentTools): Promise<OpenTools | undefined> {
  const names = [...new Set(agents.flatMap((agent) => release.release.agents[agent]?.tools ?? []))];
  if (names.length === 0) return undefined;
  const config = { attachments: await readAttachments(context, manifest, { environment, attachments }), secrets };
  return openTools(context, { manifest, names, folder, later: story && { story }, values: releaseEnvironment({ release, environment, config }) });
}
