import { symlink, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { parseManifest } from "../../src/manifest/read.ts";
import type { Environment } from "../../src/ports/context.ts";
import type { OpenTool, SourceCallOptions, ToolCallOptions } from "../../src/ports/tool.ts";
import { openTools, type OpenTools } from "../../src/tool/read.ts";
import { temporaryFolder, testContext } from "./context.ts";
import { writeFiles } from "./git-app.ts";

export const callOptions: ToolCallOptions = {
  signal: new AbortController().signal, callId: "run-1/step-2", run: "run-1", agent: "support", user: "ann", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

export const sourceOptions: SourceCallOptions = { ...callOptions, mayRepeat: true };

export interface ToolApp {
  readonly files?: Readonly<Record<string, string>>;
  readonly values?: Environment;
  /** The environment of the process itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** The rest of twelve.yaml. */
  readonly config?: string;
}

/** The tools of a twelve.yaml whose `tools:` is `declared`, in an application of the test's own that has Zod installed. */
export async function openedTools(declared: string, { files = {}, values = {}, env = {}, config = "" }: ToolApp = {}): Promise<OpenTools> {
  const manifest = parseManifest(`name: shop\n${config}\ntools:\n${declared.replaceAll(/^/gm, "  ")}\n`);
  const dir = await temporaryFolder();
  const folder = join(dir, ".twelve", "cache", "code", "0123");
  writeFiles(folder, { "twelve.yaml": "", ...files });
  await mkdir(join(dir, "node_modules"));
  await symlink(join(import.meta.dirname, "../../node_modules/zod"), join(dir, "node_modules/zod"));
  const context = await testContext({ dir, env: { PATH: process.env["PATH"] ?? "", ...env } });
  const opened = await openTools(context, { manifest, names: Object.keys(manifest.tools), folder, values });
  onTestFinished(() => opened.close());
  return opened;
}

/** The only tool that is declared. */
export async function openedTool(declared: string, app: ToolApp = {}): Promise<OpenTool> {
  const opened = await openedTools(declared, app);
  const [tool] = opened.of([/^[\w-]+/.exec(declared)?.[0] ?? ""]);
  if (tool === undefined) throw new Error("No tool is offered");
  return tool;
}
