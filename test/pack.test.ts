import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { cleanEnv } from "./helpers/binary.ts";
import { temporaryFolder } from "./helpers/context.ts";

const root = resolve(import.meta.dirname, "..");
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string; dependencies: Record<string, string>; optionalDependencies: Record<string, string> };

/** The package as it would be published. The bundle is there already; making it again would pull it from under other tests. */
async function pack(folder: string): Promise<{ readonly files: readonly string[]; readonly tarball: string }> {
  const { stdout } = await execa("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: root, preferLocal: true });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>);
  if (packed === undefined) throw new Error(`npm pack printed ${stdout}`);
  return { files: packed.files.map(({ path }) => path).sort(), tarball: join(folder, packed.filename) };
}

/** Why the registry cannot be used from here; undefined when it can. On a build server it must be there. */
const unreachable = process.env["CI"] ? undefined : await execa("npm", ["ping", "--fetch-retries=0", "--fetch-timeout=5000"], { cwd: root, reject: false })
  .then(({ exitCode, stderr }) => (exitCode === 0 ? undefined : `the npm registry is out of reach: ${stderr.split("\n")[0]}`));

describe("the package", () => {
  it("contains what users need and nothing else", async () => {
    const { files } = await pack(await temporaryFolder());
    const chunks = files.filter((path) => /^dist\/[\w.-]+\.js$/.test(path));
    const templates = (await readdir(join(root, "templates"), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
    expect(files.filter((path) => !chunks.includes(path))).toEqual([
      "CHANGELOG.md", "LICENSE", "README.md", "bin/twelve.js", "dist/browser/index_bg.wasm", "dist/THIRD-PARTY-NOTICES.txt", "dist/page.html", "dist/twelve.schema.json", "package.json", ...templates,
    ].sort());
    expect(chunks).toContain("dist/main.js");
    // npm leaves files of this name out, and then the new application would have none.
    expect(files).toContain("templates/rag/gitignore");
  });

  it("carries the licence of every package in the bundle", async () => {
    const notices = await readFile(join(root, "dist/THIRD-PARTY-NOTICES.txt"), "utf8");
    const sections = notices.split(/^={72}\n(?=\S+@\S+ \()/m).slice(1);
    const grants = /Permission is hereby granted|Permission to use, copy, modify|Apache License\s+Version 2\.0|Redistribution and use|Blue Oak Model License/;
    expect(sections.filter((section) => !grants.test(section)).map((section) => section.split("\n")[0])).toEqual([]);
    const bundled = ["@lancedb/lancedb", "commander", "fastify", "handlebars", "yaml", "zod"];
    expect(bundled.filter((name) => sections.some((section) => section.startsWith(`${name}@`)))).toEqual(bundled);
  });

  it("is developed with a lockfile that holds the binaries of every platform, or npm ci refuses it", async () => {
    const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as { packages: Record<string, { optionalDependencies?: Record<string, string> }> };
    const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => Object.keys(optionalDependencies).map((name) => ({ path, name })));
    const missing = wanted.filter(({ path, name }) => packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined);
    expect(missing).toEqual([]);
  });

  it.skipIf(unreachable !== undefined)(`works from its tarball in an empty folder${unreachable === undefined ? "" : ` (skipped: ${unreachable})`}`, async () => {
    const folder = await temporaryFolder();
    const { tarball } = await pack(folder);
    const home = join(folder, "home");
    await mkdir(home);
    await writeFile(join(home, "package.json"), '{ "private": true }\n');
    await execa("npm", ["install", "--omit=dev", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: home });

    const lock = JSON.parse(await readFile(join(home, "package-lock.json"), "utf8")) as { packages: Record<string, unknown> };
    const allowed = new Set(["", "node_modules/twelve", ...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).map((name) => `node_modules/${name}`)]);
    expect(Object.keys(lock.packages).filter((path) => !allowed.has(path))).toEqual([]);
    const installed = await readdir(join(home, "node_modules/twelve"), { recursive: true });
    expect(installed.filter((path) => /\.[cm]?ts$/.test(path) && !path.startsWith("templates/"))).toEqual([]);

    // A shell would find the program the same way: by its link, with the Node in front on the path.
    const env = { ...cleanEnv(), PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter) };
    const program = join(home, "node_modules/.bin/twelve");
    const call = (cwd: string, ...args: readonly string[]) => execa(program, args, { cwd, env, extendEnv: false });
    expect((await call(home, "--version")).stdout).toBe(manifest.version);
    await call(home, "init", "support");
    const built = JSON.parse((await call(join(home, "support"), "build", "--json")).stdout) as { digest: string };
    expect(built.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await stat(join(home, "support/.twelve/store"))).isDirectory()).toBe(true);
    const indexed = JSON.parse((await call(join(home, "support"), "index", "--json")).stdout) as { documents: number };
    expect(indexed.documents).toBe(6);
  }, 300_000);
});
