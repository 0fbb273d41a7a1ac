import { z } from "zod";

/** Folders whose files other programs run or trust, and files that say what is trusted: nothing that is fetched may get there. */
const forbiddenNames = new Set([".git", ".hg", ".svn", ".jj", ".twelve", "node_modules", "twelve.yaml", "twelve.lock"]);

/** A path that stays below the folder it is taken from, on every system, and out of the folders of other programs. */
export function isPathBelow(path: string): boolean {
  // Control characters would forge lines of messages and of the note that says what is intact; some disks overlook invisible ones in a name.
  if (path.length > 512 || /[\\:\p{Cc}\p{Cf}\p{Cs}]/u.test(path)) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== ".." && !isForbidden(segment));
}

/** Windows overlooks dots and spaces at the end of a name, and also knows `.git` by its short name. */
function isForbidden(segment: string): boolean {
  const name = segment.toLowerCase().replace(/[. ]+$/, "");
  return forbiddenNames.has(name) || /^git~\d+$/.test(name);
}

const PathBelow = z.string().refine(isPathBelow, "A path below the folder, with forward slashes and without `..`, `.git`, `.twelve`, `node_modules`, twelve.yaml and twelve.lock");

export const LockedFile = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hex digits").meta({ description: "SHA-256 of the file" }),
  size: z.int().nonnegative().meta({ description: "Size in bytes" }),
});
export type LockedFile = z.infer<typeof LockedFile>;

export const LockedModel = z.strictObject({
  source: z.string().meta({ description: "Where `twelve models pull` fetches the files from, without credentials" }),
  files: z.record(PathBelow, LockedFile).meta({ description: "Every file of the model, by its path below the model's folder" }),
});
export type LockedModel = z.infer<typeof LockedModel>;

/** `twelve.lock`: what the local models of an application must be, byte by byte. Committed to git; the models are not. */
export const ModelLock = z
  .strictObject({
    version: z.literal(1),
    models: z.record(PathBelow, LockedModel).meta({ description: "Every local model, by its folder below the application's folder" }),
  })
  .meta({ title: "ModelLock", description: "twelve.lock" });
export type ModelLock = z.infer<typeof ModelLock>;

export const PulledModel = z.strictObject({
  folder: z.string().meta({ description: "Below the application's folder" }),
  source: z.string().meta({ description: "Without credentials" }),
  files: z.int().meta({ description: "How many files twelve.lock names for it" }),
  sizeBytes: z.int().meta({ description: "Size of these files together" }),
  fetched: z.array(z.string()).meta({ description: "Files that were missing, damaged or new, and are in place now" }),
  isLockChanged: z.boolean().meta({ description: "Whether twelve.lock has another entry for it now" }),
});
export type PulledModel = z.infer<typeof PulledModel>;

export const PullReport = z
  .strictObject({ lock: z.string().meta({ description: "Path of twelve.lock" }), models: z.array(PulledModel) })
  .meta({ title: "PullReport", description: "Local models that are in place and checked" });
export type PullReport = z.infer<typeof PullReport>;
