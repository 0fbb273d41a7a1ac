import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharedData } from "./shared.ts";

export interface SharedDocument {
  /** Below the archive's root. */
  readonly path: string;
  readonly text: string;
}

export const documentArchives = ["twelve-factor.tar.gz", "vercel-ai.tar.gz", "fastify.tar.gz"] as const;

/** The markdown and MDX files of an archive of real documentation. Only for tests guarded with `withoutShared`. */
export function sharedDocuments(archive: (typeof documentArchives)[number]): readonly SharedDocument[] {
  const folder = mkdtempSync(join(tmpdir(), "twelve-test-"));
  try {
    execFileSync("tar", ["-xzf", sharedData("docs", archive), "-C", folder]);
    const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /\.mdx?$/.test(path)).sort();
    return paths.map((path) => ({ path, text: readFileSync(join(folder, path), "utf8") }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
