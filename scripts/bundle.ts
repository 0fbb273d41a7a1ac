/** Bundles src/ and every pure JavaScript package into dist/, so that users install no dependency tree and start fast. */
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { manifestJsonSchema } from "../src/manifest/json-schema.ts";
import { packLanguageTables } from "./language-table.ts";
import { makePage } from "./page.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

await rm(dist, { recursive: true, force: true });
/** What DBOS would trace and log with, if it were asked to. LanceDB does load `@opentelemetry/api`, so that one is bundled. */
const tracing = ["sdk-logs", "sdk-trace-base", "core", "context-async-hooks", "exporter-trace-otlp-proto", "exporter-logs-otlp-proto"].map((name) => `@opentelemetry/${name}`);
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { main: "src/main.ts", ...(await workers()) },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.18",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  plugins: [packLanguageTables],
  // LanceDB's native parts and PGlite's WebAssembly are dependencies; the others are optional packages of packages, which we never call.
  external: ["@lancedb/lancedb-*", "@electric-sql/pglite", "@electric-sql/pglite-pgvector", "@huggingface/transformers", "openai", ...tracing, "winston", "winston-transport"],
  // CommonJS packages inside the bundle call require() for Node's own modules and for the native binary.
  banner: { js: 'import { createRequire as createRequire_ } from "node:module"; const require = createRequire_(import.meta.url);' },
  logLevel: "warning",
});
// Read as a file by the stemmers, from beside the code that they are bundled into.
await cp(join(root, "node_modules", "multilingual-stemmer", "dist", "browser", "index_bg.wasm"), join(dist, "browser", "index_bg.wasm"));
const page = await makePage();
await writeFile(join(dist, "page.html"), page.html);
await writeFile(join(dist, "twelve.schema.json"), manifestJsonSchema());
await writeFile(join(dist, "THIRD-PARTY-NOTICES.txt"), await notices([...Object.keys(metafile.inputs), ...page.inputs]));

/** Worker threads are files of their own: `src/<folder>/<name>.worker.ts` becomes `dist/<name>.worker.js`. */
async function workers(): Promise<Record<string, string>> {
  const files = await readdir(join(root, "src"), { recursive: true });
  const sources = files.filter((file) => file.endsWith(".worker.ts"));
  return Object.fromEntries(sources.map((file) => [file.replace(/^.*[/\\]/, "").replace(/\.ts$/, ""), join("src", file)]));
}

/** Licence and notice texts of every package that went into the bundle, as their licences ask. */
async function notices(inputs: readonly string[]): Promise<string> {
  const packages = new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  const texts = await Promise.all([...packages].sort().map(async (folder) => notice(join(root, folder))));
  return `twelve contains the following packages.\n\n${texts.join("\n")}`;
}

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** How packages named their licence before npm settled on `license`. */
  readonly licenses?: readonly { readonly type: string }[];
  readonly author?: string | { readonly name: string };
}

async function notice(folder: string): Promise<string> {
  const { name, version, author, ...rest } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageFile;
  const license = rest.license ?? rest.licenses?.[0]?.type ?? "";
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(() => "")));
  // Some packages name their licence, or point to it, without carrying its text; the text is owed all the same.
  const leastLength = license === "Apache-2.0" ? 5000 : 400;
  if (!texts.some((text) => text.length > leastLength)) {
    const holder = typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`);
    texts.push(`Copyright (c) ${holder}\n\n${await readFile(join(import.meta.dirname, "licences", `${license}.txt`), "utf8")}`);
  }
  return `${"=".repeat(72)}\n${name}@${version} (${license})\n${"=".repeat(72)}\n${texts.map((text) => text.trim()).join("\n\n")}\n`;
}
