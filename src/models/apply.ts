import { open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { Origin } from "../ports/origin.ts";
import type { Progress } from "../ports/story.ts";
import { fetchFile, partPath } from "./fetch.ts";
import { placeFiles, removeFiles } from "./folder.ts";
import { refuseLinks } from "./guard.ts";
import { cacheBelow, damageOf, findDamage, hashFile } from "./intact.ts";
import { externalData, planPull, type WantedFile } from "./plan.ts";
import type { LockedFile, LockedModel, PulledModel } from "./schema.ts";
import { lockModel } from "./write.ts";

export interface Pull {
  readonly folder: string;
  readonly source: string;
  /** What the files must be; undefined to take what the source has. */
  readonly locked: LockedModel | undefined;
  /** The lock's present entry, also where it is about to be replaced. */
  readonly before: LockedModel | undefined;
  /** Files to fetch beside the usual ones. */
  readonly asked: readonly string[];
}

/**
 * Brings one model's files into place. All of them are fetched and compared before the first one is moved, so a refusal
 * leaves the folder and the lock as they were; what was fetched is kept for the next attempt.
 */
export async function pullModel(pull: Pull, context: Context): Promise<PulledModel> {
  const { folder, locked } = pull;
  const damaged = locked && new Set((await findDamage(context.dir, folder, locked)).map(({ path }) => path));
  if (locked !== undefined && damaged?.size === 0) return report(folder, { model: locked, fetched: [], isLockChanged: false });
  const plan = planPull(locked, pull.asked);
  const staged = `${cacheBelow(folder)}/stage`;
  const stage = join(context.dir, staged);
  for (const below of [folder, staged]) await refuseLinks(context.dir, below);
  const origin = await context.openOrigin(pull.source);
  const progress = context.story.progress(`Fetching ${folder}, megabytes`);
  try {
    const staging: Staging = { origin, stage: staged, context, onBytes: countBytes(progress, locked, damaged) };
    const fetched = new Map<string, LockedFile>();
    for (const wanted of plan.files) {
      if (damaged?.has(wanted.path) === false) continue;
      const file = await stageFile(wanted, staging);
      if (file !== undefined) fetched.set(wanted.path, file);
    }
    for (const [path, file] of await stageWeights(plan.weights, staging)) fetched.set(path, file);
    const model = locked ?? { source: origin.url, files: Object.fromEntries(fetched) };
    const placed = [...fetched.keys()];
    const gone = Object.keys(pull.before?.files ?? {}).filter((path) => !Object.hasOwn(model.files, path));
    for (const path of [...placed, ...gone]) await refuseLinks(context.dir, `${folder}/${path}`);
    // Before the files are moved: a run that is killed in between is completed by the next one.
    const isLockChanged = locked === undefined && (await lockModel(context.dir, { folder, model, clock: context.clock }));
    await placeFiles({ from: stage, dir: context.dir, folder, paths: placed, clock: context.clock });
    await removeFiles({ dir: context.dir, folder, paths: gone });
    await rm(stage, { recursive: true, force: true });
    const left = await findDamage(context.dir, folder, model);
    if (left.length > 0) throw new TwelveError("MODEL_DAMAGED", `${folder}/${left[0]?.path} ${left[0]?.reason}, although it was just fetched`, { fix: "Check the disk, then run the command again" });
    progress.done(`Fetched ${fetched.size} ${fetched.size === 1 ? "file" : "files"} of ${folder} from ${origin.url}`);
    return report(folder, { model, fetched: placed, isLockChanged });
  } finally {
    progress.stop();
  }
}

interface Staging {
  readonly origin: Origin;
  /** Below the application's folder. */
  readonly stage: string;
  readonly context: Context;
  readonly onBytes: (count: number) => void;
}

/** undefined when the origin does not have a file that is not required. Fails with MODEL_NOT_FOUND or MODEL_CHANGED. */
async function stageFile({ path, locked, isRequired }: WantedFile, { origin, stage, context, onBytes }: Staging): Promise<LockedFile | undefined> {
  const target = join(context.dir, stage, path);
  for (const below of [path, partPath(path)]) await refuseLinks(context.dir, `${stage}/${below}`);
  if (locked !== undefined && (await damageOf(target, locked)) === undefined) return locked;
  const isResumed = await stat(target).then(({ size }) => size > 0, () => false);
  try {
    const isThere = await fetchFile({ origin, path, target, lockedSize: locked?.size, signal: context.signal, onBytes });
    if (!isThere && isRequired) throw new TwelveError("MODEL_NOT_FOUND", `${origin.url} has no ${path}`);
    if (!isThere) return undefined;
  } catch (error) {
    // Stores that must not be listed refuse what they do not have.
    if (isRequired || !(error instanceof TwelveError) || !["SERVICE_DENIED", "SERVICE_UNAUTHENTICATED"].includes(error.code)) throw error;
    context.story.warn(`${error.message}; taken as not there`);
    return undefined;
  }
  if (locked === undefined) await checkContent(target, path, origin);
  const file = { sha256: await hashFile(target), size: (await stat(target)).size };
  if (locked === undefined || (file.sha256 === locked.sha256 && file.size === locked.size)) return file;
  await rm(target, { force: true });
  // The part that was there may have been at fault; from the start, then.
  if (isResumed) return stageFile({ path, locked, isRequired }, { origin, stage, context, onBytes });
  throw new TwelveError("MODEL_CHANGED", `${path} at ${origin.url} has the SHA-256 ${file.sha256}; twelve.lock names ${locked.sha256}`);
}

async function stageWeights(candidates: readonly string[], staging: Staging): Promise<readonly (readonly [string, LockedFile])[]> {
  if (candidates.length === 0) return [];
  for (const path of candidates) {
    const weights = await stageFile({ path, locked: undefined, isRequired: false }, staging);
    if (weights === undefined) continue;
    const beside = externalData(path);
    const data = await stageFile({ path: beside, locked: undefined, isRequired: false }, staging);
    return [[path, weights], ...(data === undefined ? [] : [[beside, data] as const])];
  }
  throw new TwelveError("MODEL_NOT_FOUND", `${staging.origin.url} has none of ${candidates.join(", ")}`, { fix: "Name the ONNX file with `--file`" });
}

/** Some servers answer with a page where they have no file, and git servers with a pointer to one. */
async function checkContent(target: string, path: string, origin: Origin): Promise<void> {
  const handle = await open(target);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  await handle.close();
  const head = buffer.toString("latin1", 0, bytesRead).trimStart();
  const isPointer = head.startsWith("version https://git-lfs");
  const isJson = !path.endsWith(".json") || (await readFile(target, "utf8").then(JSON.parse).then(() => true, () => false));
  if (!isPointer && isJson && !/^<(!doctype|html|\?xml)/i.test(head)) return;
  await rm(target, { force: true });
  const what = isPointer ? "a Git LFS pointer instead of the file" : "something that is not this kind of file";
  throw new TwelveError("MODEL_INVALID", `${origin.url} gives ${what} for ${path}`, { fix: "Check the URL: it must lead to the files themselves" });
}

function countBytes(progress: Progress, locked: LockedModel | undefined, damaged: ReadonlySet<string> | undefined): (count: number) => void {
  const sizes = Object.entries(locked?.files ?? {}).flatMap(([path, { size }]) => (damaged?.has(path) === true ? [size] : []));
  const total = locked === undefined ? undefined : Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1e6);
  let bytes = 0;
  return (count) => {
    bytes += count;
    progress.update(Math.floor(bytes / 1e6), total);
  };
}

function report(folder: string, { model, fetched, isLockChanged }: { readonly model: LockedModel; readonly fetched: readonly string[]; readonly isLockChanged: boolean }): PulledModel {
  const sizes = Object.values(model.files).map(({ size }) => size);
  return { folder, source: model.source, files: sizes.length, sizeBytes: sizes.reduce((sum, size) => sum + size, 0), fetched: fetched.toSorted(), isLockChanged };
}
