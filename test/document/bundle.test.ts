import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { loadDocument, type LoaderName } from "../../src/document/read.ts";
import { temporaryFolder } from "../helpers/context.ts";

const root = join(import.meta.dirname, "../..");
const fixtures = join(root, "fixtures/document");

/** In a bundle, a package of the older module kind that is loaded late has no named exports. A loader that goes on without it would only read less. */
it("loads the same documents from the bundle as from the source", { timeout: 60_000 }, async () => {
  const outdir = await temporaryFolder();
  await build({
    absWorkingDir: root, entryPoints: ["src/document/read.ts"], outdir, outExtension: { ".js": ".mjs" }, bundle: true, splitting: true, format: "esm", platform: "node", logLevel: "error",
    banner: { js: 'import { createRequire as createRequire_ } from "node:module"; const require = createRequire_(import.meta.url);' },
  });
  const bundle = (await import(pathToFileURL(join(outdir, "read.mjs")).href)) as { readonly loadDocument: typeof loadDocument };
  const files: readonly (readonly [string, LoaderName, Uint8Array])[] = [
    ["article.html", "html", await readFile(join(fixtures, "page/article.html"))],
    ["orders.csv", "csv", await readFile(join(fixtures, "table/orders.csv"))],
    ["sales.ipynb", "notebook", await readFile(join(fixtures, "notebook/sales.ipynb"))],
    ["a.md", "markdown", Buffer.from("---\ntitle: A\n---\n\nText")],
    ["b.md", "markdown", Buffer.from("+++\ntitle = \"B\"\n+++\n\nText")],
    ["a.pdf", "pdf", Buffer.from("no PDF")],
    ...(await Promise.all((await readdir(join(fixtures, "office"))).map(async (name) => [name, name.split(".")[1] as LoaderName, await readFile(join(fixtures, "office", name))] as const))),
  ];
  for (const [path, loader, bytes] of files) {
    const expected = await loadDocument(bytes, { path, loader });
    expect([path, await bundle.loadDocument(bytes, { path, loader })]).toEqual([path, expected]);
    expect([path, "blocks" in expected]).toEqual([path, loader !== "pdf"]);
  }
  expect(files.map(([path]) => path)).toContain("handbook.xlsx");
});
