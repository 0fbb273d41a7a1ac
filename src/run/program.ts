import { constants } from "node:os";
import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { codeFolder } from "../code/folder.ts";
import { layOutCode } from "../code/layout.ts";
import { readProcessConfig } from "../config/read.ts";
import { shortDigest } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { Activation } from "../release/schema.ts";
import { refuseDrift } from "./drift.ts";
import { releaseEnvironment } from "./environment.ts";
import { type ReleaseToRun, releaseName } from "./named.ts";

interface ProgramOptions {
  readonly release: ReleaseToRun;
  readonly environment: string;
  readonly attachments: Activation["attachments"];
  readonly process: string;
  readonly command: string;
  readonly port: number;
  readonly drainMs: number;
}

/**
 * Runs a program of the release, in the release's code and with the release's configuration as environment variables.
 * Its output passes through unchanged, a request to stop is passed on, and its exit code is given back.
 */
export async function runProgram(context: Context, options: ProgramOptions): Promise<number> {
  const { release, environment, command } = options;
  const store = await context.store();
  const build = await readDocument(store, buildKind, release.release.build);
  const name = releaseName(release);
  refuseDrift({ release: release.release, name, environment, declarations: build.manifest.config, env: context.env });
  const config = await readProcessConfig(context, build.manifest, { ...options, secrets: release.activation?.secrets });
  const folder = codeFolder(context.dir, build.code);
  await layOutCode(store, build.code, folder);

  const env = { ...context.env, ...releaseEnvironment({ release, environment, config }), PORT: String(options.port) };
  context.story.note(`Running ${options.process} of release ${name} (${shortDigest(release.releaseDescriptor.digest)}) in ${environment}: ${command}`);
  return follow(command, { folder, env, signal: context.signal, graceMs: options.drainMs, onStart: (group) => void context.parent?.send({ kind: "ready", notes: [], group }) });
}

/** What a shell makes of an end by SIGTERM. */
const termExit = 128 + constants.signals.SIGTERM;

interface Following {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly graceMs: number;
  /** Told the process group of the program, where there are groups. */
  readonly onStart: (group: number | undefined) => void;
}

async function follow(command: string, { folder, env, signal, graceMs, onStart }: Following): Promise<number> {
  const { execa } = await import("execa");
  // The shell and all it starts form one group, so that a signal reaches them all. Windows has no groups.
  const isGroup = process.platform !== "win32";
  // The shell waits for what it started and ends with its exit code; without the trap it would die of the signal first.
  const script = isGroup ? `trap 'exit $?' TERM\n${command}` : command;
  const program = execa(script, { shell: true, cwd: folder, env, extendEnv: false, stdio: "inherit", reject: false, detached: isGroup, cleanup: !isGroup });
  onStart(isGroup ? program.pid : undefined);
  const send = (name: NodeJS.Signals): void => {
    try {
      if (isGroup && program.pid !== undefined) process.kill(-program.pid, name);
      else program.kill(name);
    } catch {
      // It has ended already.
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    send("SIGTERM");
    timer = setTimeout(() => send("SIGKILL"), graceMs);
  };
  const kill = (): void => send("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  process.once("exit", kill);
  try {
    if (signal.aborted) stop();
    const { exitCode, signal: killedBy } = await program;
    // It does not handle the signal, and ends by it as it was asked to: either itself, or its shell tells so.
    if (signal.aborted && (killedBy === "SIGTERM" || exitCode === termExit)) return 0;
    if (killedBy !== undefined) return 128 + constants.signals[killedBy];
    return exitCode ?? 1;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    process.off("exit", kill);
  }
}
