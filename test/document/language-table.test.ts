import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { packLanguageTables } from "../../scripts/language-table.ts";
import { temporaryFolder } from "../helpers/context.ts";

interface Table {
  readonly ngramsData: { readonly ngrams: Readonly<Record<string, Readonly<Record<number, number>>>> };
}

it("packs the language detector's table for the bundle and changes nothing in it", { timeout: 60_000 }, async () => {
  const entry = join(import.meta.dirname, "../../node_modules/eld/src/ngrams/small.js");
  const outfile = join(await temporaryFolder(), "packed.mjs");
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", logLevel: "error", plugins: [packLanguageTables] });
  const [{ ngramsData: packed }, { ngramsData: original }] = (await Promise.all([outfile, entry].map((file) => import(pathToFileURL(file).href)))) as [Table, Table];
  const names = Object.keys(original.ngrams).sort();
  expect(names.length).toBeGreaterThan(80_000);
  expect(Object.keys(packed.ngrams).length).toBe(names.length);
  expect(names.filter((name) => JSON.stringify(packed.ngrams[name]) !== JSON.stringify(original.ngrams[name])).slice(0, 5)).toEqual([]);
  expect({ ...packed, ngrams: {} }).toEqual({ ...original, ngrams: {} });
});
