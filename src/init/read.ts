import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { TextFile } from "./plan.ts";

/** The package's `templates/`, found from the source and from the bundle alike. */
function templatesFolder(from: string = import.meta.dirname): string {
  if (existsSync(join(from, "package.json"))) return join(from, "templates");
  const parent = dirname(from);
  if (parent === from) throw new Error("The package has no package.json above its modules");
  return templatesFolder(parent);
}

/** Every file of a template, sorted. Fails with TEMPLATE_UNKNOWN. */
export async function readTemplate(name: string): Promise<readonly TextFile[]> {
  const folder = templatesFolder();
  const templates = (await readdir(folder)).sort();
  // Looked up in the list, so that no name can lead out of the folder.
  if (!templates.includes(name)) {
    throw new TwelveError("TEMPLATE_UNKNOWN", `There is no template "${name}".${didYouMean(name, templates)} Templates: ${templates.join(", ")}`);
  }
  const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map(async (path) => ({
    path: path.slice(join(folder, name).length + 1).replaceAll(sep, "/"),
    text: await readFile(path, "utf8"),
  }));
  return (await Promise.all(files)).sort((left, right) => (left.path < right.path ? -1 : 1));
}
