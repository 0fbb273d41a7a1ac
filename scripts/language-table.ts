/** Packs the tables of the language detector: as its package writes them, they take a quarter of a second and 42 MB in every thread that reads documents. */
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";

/** What the detector knows of each sequence of letters: a score in some languages, by their number. */
interface LanguageTable {
  readonly ngrams: Readonly<Record<string, Readonly<Record<number, number>>>>;
}

export const packLanguageTables: Plugin = {
  name: "pack-language-tables",
  setup(build) {
    build.onLoad({ filter: /[/\\]eld[/\\]src[/\\]ngrams[/\\]\w+\.js$/ }, async ({ path }) => {
      const { ngramsData } = (await import(pathToFileURL(path).href)) as { readonly ngramsData: LanguageTable };
      return { contents: printTable(ngramsData), loader: "js" };
    });
  },
};

/** A module that answers as the same table, in which sequences with equal scores share one object. JSON is parsed faster than code. */
function printTable({ ngrams, ...rest }: LanguageTable): string {
  const groups = Map.groupBy(Object.keys(ngrams), (ngram) => JSON.stringify(ngrams[ngram]));
  const scores = `[${[...groups.keys()].join(",")}]`;
  const groupOf = JSON.stringify(Object.fromEntries([...groups.values()].flatMap((group, number) => group.map((ngram) => [ngram, number]))));
  return `
    const scores = JSON.parse(${JSON.stringify(scores)});
    const ngrams = new Proxy(JSON.parse(${JSON.stringify(groupOf)}), { get: (groupOf, ngram) => scores[groupOf[ngram]] });
    export const ngramsData = { ...${JSON.stringify(rest)}, ngrams };
  `;
}
