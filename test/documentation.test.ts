import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../src/cli/commands.ts";
import { flagsOf } from "../src/cli/options.ts";
import { globalFlags } from "../src/cli/global-flags.ts";
import { failures } from "../src/core/failures.ts";
import { parseManifest } from "../src/manifest/read.ts";

const root = resolve(import.meta.dirname, "..");
const pages = globSync(["*.md", "docs/*.md", "templates/**/*.md"], { cwd: root }).sort().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** Command lines as a reader would type them: in code, from `twelve` to the end of the line or of the code. */
function commandLines(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```(?:sh|console)\n(.*?)```/gs)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replaceAll(/```.*?```/gs, "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].flatMap((line) => /^(?:\$ )?(?:npx )?(twelve(?: [^#&|]*)?)/.exec(line)?.[1]?.trim() ?? []);
}

/** What is wrong with a command line: its command or a flag that does not exist. */
async function complaints(line: string): Promise<readonly string[]> {
  const [first = "", second = ""] = line.split(" ").slice(1);
  const global = globalFlags.flatMap(([form]) => form.match(/--?[a-z-]+/g) ?? []);
  const entry = commands[`${first} ${second}`] ?? commands[first];
  const flags = line.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? [];
  if (first === "" || ["--help", "--version"].includes(first)) return [];
  if (entry === undefined) return [`${line}: no such command`];
  const known = flagsOf((await entry.load()).default).flatMap(({ form }) => form.match(/--?[a-z-]+/g) ?? []);
  return flags.filter((flag) => ![...known, ...global, "--help"].includes(flag)).map((flag) => `${line}: no such flag ${flag}`);
}

describe("the documentation", () => {
  it("shows only commands and flags that exist", async () => {
    const lines = pages.flatMap(({ path, text }) => commandLines(text).map((line) => ({ path, line })));
    expect(lines.length).toBeGreaterThan(50);
    const wrong = await Promise.all(lines.map(async ({ path, line }) => (await complaints(line)).map((complaint) => `${path}: ${complaint}`)));
    expect(wrong.flat()).toEqual([]);
  });

  it("would be caught with a command or flag that does not exist", async () => {
    expect(await complaints("twelve deploy")).toEqual(["twelve deploy: no such command"]);
    expect(await complaints("twelve release --environment staging")).toEqual(["twelve release --environment staging: no such flag --environment"]);
  });

  it("links only to files that are there", () => {
    const links = pages.flatMap(({ path, text }) => [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => ({ path, target })));
    const own = links.filter(({ target }) => !/^[a-z]+:/.test(target));
    expect(own.filter(({ path, target }) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  it("shows a manifest that is valid", () => {
    const [, yaml = ""] = /```yaml\n(.*?)```/s.exec(readFileSync(join(root, "docs/manifest.md"), "utf8")) ?? [];
    expect(parseManifest(yaml).name).toBe("support");
  });

  it("names only failures and exit codes of the catalogue", () => {
    const named = pages.flatMap(({ path, text }) => [...text.matchAll(/\[([A-Z]+_[A-Z_]+)\]/g)].map(([, code = ""]) => ({ path, code })));
    expect(named.filter(({ code }) => !Object.hasOwn(failures, code))).toEqual([]);
  });
});
