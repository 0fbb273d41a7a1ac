import type { Stats } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { TwelveError } from "../../../core/errors.ts";
import type { DocumentSource, SourceFile, SourceOptions } from "../../../ports/document.ts";
import { codeOf, ledgerPath, type ShownRoot, shownRoot, unreadable, unreadableDocument } from "../local.ts";
import { rulesAt } from "./ignore.ts";
import { type Walk, walkFolder } from "./walk.ts";

/**
 * A folder, or one file that is offered whatever the globs and ignore files say: it was named. Relative to `dir`, where
 * the application is; it may lie outside, and may itself be a link.
 */
export function openSource(reference: string, dir: string, { gitignore = true }: SourceOptions = {}): DocumentSource {
  const root = resolve(dir, reference);
  const name = ledgerPath(dir, root);
  const shown = shownRoot(reference, root);
  return {
    url: reference,
    async *list(isWanted, signal) {
      signal?.throwIfAborted();
      const found = await statOf(root, shown);
      if (found.isFile()) yield offerFile(name, root, found);
      else if (!found.isDirectory()) throw new TwelveError("SOURCE_INVALID", `The source ${shown.name} is neither a folder nor a file (${shown.path})`);
      else {
        const { realRoot, rules } = await surveyRoot(root, gitignore);
        const prefix = name === "" ? "" : `${name}/`;
        yield* walkFolder(root, { realRoot, rules, isWanted, offer: offerFile, nameOf: (below) => (below === "" ? name : prefix + below), signal });
      }
    },
  };
}

/** Some file systems tell times only to two seconds, and a file may change twice within one tick. */
const settledMs = 2000;

function offerFile(path: string, file: string, { ino, size, mtimeMs, ctimeMs }: Stats): SourceFile {
  const isSettled = Date.now() - Math.max(mtimeMs, ctimeMs) > settledMs;
  return {
    path,
    file,
    sizeBytes: size,
    ...(isSettled ? { version: `${ino}-${size}-${mtimeMs}-${ctimeMs}` } : {}),
    async read(signal) {
      try {
        return await readFile(file, { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw unreadableDocument(path, error);
      }
    },
  };
}

async function surveyRoot(root: string, gitignore: boolean): Promise<Pick<Walk, "realRoot" | "rules">> {
  try {
    const realRoot = await realpath(root);
    return { realRoot, rules: await rulesAt(realRoot, { gitignore }) };
  } catch (error) {
    throw unreadable(root, error);
  }
}

async function statOf(root: string, shown: ShownRoot): Promise<Stats> {
  try {
    return await stat(root);
  } catch (error) {
    throw codeOf(error) === "ENOENT" ? new TwelveError("SOURCE_INVALID", `There is no source folder ${shown.name} (${shown.path})`, { cause: error }) : unreadable(shown.path, error);
  }
}
