import { closeSync, mkdirSync, openSync, readSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { digestOf } from "../core/descriptor.ts";
import { assertLinksContained, refused } from "./safety.ts";
import type { CodeFile } from "./schema.ts";
import { type TarEntry, tarEntries } from "./tar.ts";

export interface Extraction {
  /** Tar archives on the local disk, each verified already. */
  readonly archives: readonly string[];
  /** An empty folder of the caller's own. */
  readonly folder: string;
  /** Digest of the tree, for messages. */
  readonly name: string;
}

/**
 * Takes the wanted files out of the archives. Only content that matches its digest is kept, so it does not matter in
 * which order archives replace each other. Gives the paths that no archive held. Fails with ARTIFACT_INVALID on an
 * entry that is neither file nor link, and on a link that leads out of the folder.
 */
export function extractFiles(wanted: ReadonlyMap<string, CodeFile>, { archives, folder, name }: Extraction): readonly string[] {
  const missing = new Map(wanted);
  const links = new Map<string, string>();
  for (const archive of archives) {
    const source = openSync(archive, "r");
    try {
      for (const entry of tarEntries(source)) {
        if (entry.type === "other") throw refused(name, `an archive entry that is neither file nor link: ${JSON.stringify(entry.path)}`);
        const file = missing.get(entry.path);
        if (file === undefined || !matches(file, entry)) continue;
        if (entry.type === "link") links.set(entry.path, entry.target);
        else if (!copyEntry(source, entry, file, join(folder, file.path))) continue;
        missing.delete(entry.path);
      }
    } catch (cause) {
      // The archive is what its digest says, so this is how it was made; a full disk and the like have codes.
      if (!(cause instanceof Error) || "code" in cause) throw cause;
      throw refused(name, `an archive that is damaged: ${cause.message}`);
    } finally {
      closeSync(source);
    }
  }
  assertLinksContained(links, name);
  // Links last: while files are written, no link can lead one of them elsewhere.
  for (const [path, target] of links) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(target, join(folder, path));
  }
  return [...missing.keys()];
}

function matches(file: CodeFile, entry: TarEntry): boolean {
  if (entry.type === "link") return file.mode === "symlink" && file.digest === digestOf(entry.target);
  return file.mode !== "symlink" && file.size === entry.size;
}

const chunk = Buffer.allocUnsafeSlow(1 << 20);

/** False, and nothing left behind, when the content is not the wanted one. */
function copyEntry(source: number, { offset, size }: TarEntry, file: CodeFile, path: string): boolean {
  mkdirSync(dirname(path), { recursive: true });
  const target = openSync(path, "wx", file.mode === "executable" ? 0o755 : 0o644);
  const hash = createHash("sha256");
  try {
    for (let done = 0; done < size; ) {
      const count = readSync(source, chunk, 0, Math.min(chunk.length, size - done), offset + done);
      if (count === 0) break;
      hash.update(chunk.subarray(0, count));
      for (let written = 0; written < count; ) written += writeSync(target, chunk, written, count - written);
      done += count;
    }
  } finally {
    closeSync(target);
  }
  if (`sha256:${hash.digest("hex")}` === file.digest) return true;
  rmSync(path);
  return false;
}
