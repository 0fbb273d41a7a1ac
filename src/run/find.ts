import { setTimeout as sleep } from "node:timers/promises";
import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { environmentOf, resolveFor } from "../config/read.ts";
import { unlessAborted } from "../core/abort.ts";
import { TwelveError } from "../core/errors.ts";
import { readManifest } from "../manifest/read.ts";
import type { Context } from "../ports/context.ts";
import { readActive, readRelease } from "../release/read.ts";
import { type ChosenProcess, chooseProcess } from "./choose-plan.ts";
import { agreeOnRelease, type AttachedRelease } from "./common-release.ts";
import { type ReleaseToRun, releaseName } from "./named.ts";
import { mayPass } from "./passing.ts";

/** What is wrong for good is nearly always known by then, and refused before anything listens. */
export const quickStartMs = 700;

/** A release with what of it is served. */
export interface Served extends AttachedRelease {
  readonly agents: readonly string[];
}

export interface Found extends AttachedRelease {
  readonly chosen: ChosenProcess;
}

interface Wanted {
  readonly environment: string;
  /** Another release than the active one. */
  readonly wanted: string | undefined;
  readonly process: string | undefined;
  /** Attachments are not needed, and not looked up. */
  readonly isMock?: boolean;
  /** Whether it is another one than the processes beside this one run, such as one to compare with. */
  readonly isApart?: boolean;
}

/** The release to run, the active one by default, with the process that is asked for. */
export async function findRelease(context: Context, { process, isApart = false, ...where }: Wanted): Promise<Found> {
  const find = (): Promise<AttachedRelease> => findAttached(context, where);
  const found = isApart ? await find() : await agreeOnRelease(context, find);
  return { ...found, chosen: await chooseReleased(context, found.release.release, process) };
}

/** A store that is away, or says nothing for a while, is waited for by a server, which listens meanwhile: then it is undefined. Other processes fail as the store does. */
export async function findOrWait(context: Context, { process, find }: { readonly process: string | undefined; readonly find: () => Promise<Found> }): Promise<Found | undefined> {
  const finding = find();
  try {
    const found = await Promise.race([finding, sleep(quickStartMs, undefined, { signal: context.signal, ref: false })]);
    if (found !== undefined || !(await isServer(context, process))) return await unlessAborted(() => finding, context.signal);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!mayPass(error) || !(await isServer(context, process))) throw error;
  }
  finding.catch(() => {});
  return undefined;
}

/** As far as twelve.yaml says. */
async function isServer({ dir }: Context, process: string | undefined): Promise<boolean> {
  try {
    return chooseProcess(await readManifest(dir), process).kind === "serve";
  } catch {
    return false;
  }
}

/** What a server makes of it. Fails with PROCESS_UNKNOWN where the release knows the process as something else. */
export function servedOf({ release, attachments, chosen }: Found): Served {
  if (chosen.kind === "serve") return { release, attachments, agents: chosen.agents };
  throw new TwelveError("PROCESS_UNKNOWN", `The process ${chosen.name} of release ${releaseName(release)} is no server, as twelve.yaml says it is`, { fix: "Run it again: the store is there by now" });
}

async function findAttached(context: Context, { environment, wanted, isMock }: Omit<Wanted, "process">): Promise<AttachedRelease> {
  const [store, manifest] = await Promise.all([context.store(), readManifest(context.dir)]);
  environmentOf(manifest, environment);
  const app = manifest.name;
  if (wanted === undefined) {
    const active = await readActive(store, app, environment);
    return { release: active, attachments: active.activation.attachments };
  }
  const release = await readRelease(store, app, wanted);
  if (isMock === true) return { release, attachments: {} };
  const build = await readDocument(store, buildKind, release.release.build);
  const values = await resolveFor(context, build.manifest, { environment, only: release.release.attachments });
  const attachments = Object.entries(values).map(([key, { value, source }]) => [key, { url: value === null ? null : String(value), source: source ?? "default" }] as const);
  return { release, attachments: Object.fromEntries(attachments) };
}

/** A process that is declared by now, but not in the release, is told from one that nobody knows. */
async function chooseReleased(context: Context, release: ReleaseToRun["release"], process: string | undefined): Promise<ChosenProcess> {
  try {
    return chooseProcess(release, process);
  } catch (error) {
    const isUnknown = error instanceof TwelveError && error.code === "PROCESS_UNKNOWN" && process !== undefined;
    if (!isUnknown || !Object.hasOwn((await readManifest(context.dir)).processes, process)) throw error;
    throw new TwelveError("PROCESS_UNKNOWN", `${error.message}. twelve.yaml declares ${process}, but the release is older`, { cause: error, fix: "Run `twelve build` and `twelve release --env <name>`, then run it again" });
  }
}
