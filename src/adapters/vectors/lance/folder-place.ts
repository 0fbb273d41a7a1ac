import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TwelveError } from "../../../core/errors.ts";
import { errorCode } from "../../store/fs/failure.ts";
import { folderFailure } from "./folder-failure.ts";
import { countedIndexes, type Place } from "./place.ts";
import { shapeName } from "./shape.ts";

/** A folder that several machines share, or several releases on one: `lance:/mnt/vectors`. Relative ones start from the application's folder. */
export function folderPlace(reference: string, dir: string): Place {
  const path = reference.slice("lance:".length);
  if (path === "") throw new TwelveError("SERVICE_UNSUPPORTED", "`lance:` alone is the embedded engine, and no place to publish to", { fix: "Name a folder: lance:/mnt/vectors" });
  const root = resolve(dir, path);
  const url = `lance:${path}`;
  const shapeOf = (name: string): string => join(root, name, shapeName);

  async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      throw folderFailure(root, cause);
    }
  }
  const list = (): Promise<readonly string[]> => attempt(async () => {
    const names = await readdir(root).catch(nothingWhereNothingIs);
    const complete = await Promise.all(names.map((name) => stat(shapeOf(name)).then(() => true, falseWhereNothingIs)));
    return names.filter((_, i) => complete[i]).toSorted();
  });

  return {
    url,
    list,
    readShape: (name) => attempt(() => readFile(shapeOf(name), "utf8").catch(undefinedWhereNothingIs)),
    put: (name, folder) => attempt(async () => {
      await mkdir(join(root, name), { recursive: true });
      await cp(folder, join(root, name), { recursive: true, filter: (source) => source !== join(folder, shapeName) });
      // Renamed into place: nobody reads half of it.
      await cp(join(folder, shapeName), `${shapeOf(name)}.new`);
      await rename(`${shapeOf(name)}.new`, shapeOf(name));
    }),
    remove: (name) => attempt(async () => {
      await rm(shapeOf(name), { force: true });
      await rm(join(root, name), { recursive: true, force: true });
    }),
    openingOf: async (name) => ({ uri: join(root, name), storageOptions: {}, expiresAt: undefined }),
    probe: () => attempt(async () => void (await readdir(root))),
    check: async () => ({ version: null, detail: countedIndexes((await list()).length) }),
    close() {},
  };
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT";
}

/** A file beside the indexes has nothing below it. */
function falseWhereNothingIs(error: unknown): boolean {
  if (isMissing(error) || errorCode(error) === "ENOTDIR") return false;
  throw error;
}

function nothingWhereNothingIs(error: unknown): string[] {
  if (isMissing(error)) return [];
  throw error;
}

function undefinedWhereNothingIs(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
