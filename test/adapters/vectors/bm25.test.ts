import { gunzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { countChunks, weighTerms } from "../../../src/adapters/vectors/bm25/statistics.ts";
import { openTerms } from "../../../src/adapters/vectors/bm25/term.ts";
import { folded, wordsOf } from "../../../src/adapters/vectors/bm25/word.ts";
import { openVectors } from "../../../src/adapters/vectors/lance/adapter.ts";
import type { VectorRow } from "../../../src/ports/vectors.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { sharedData, withoutShared } from "../../helpers/shared.ts";

function row(id: string, text: string, rest: Partial<VectorRow> = {}): VectorRow {
  return { id, document: id, headings: "", text, language: "en", metadata: {}, vector: Float32Array.of(1, 0, 0, 0), ...rest };
}

/** The ten best of each question, from the engine and from our own weights. */
async function bothAnswers(rows: readonly VectorRow[], questions: readonly string[]): Promise<{ readonly engine: readonly string[]; readonly ours: readonly string[] }> {
  const folder = await temporaryFolder();
  await openVectors().write(folder, { dimensions: 4, rows: (async function* () { yield rows; })() });
  const index = await openVectors().open(folder);
  const terms = await openTerms();
  const chunks = rows.map((each) => terms.ofChunk(each));
  const counted = countChunks();
  for (const chunk of chunks) counted.add(chunk);
  const statistics = counted.statistics();
  const weighted = chunks.map((chunk, i) => ({ id: rows[i]?.id ?? "", field: chunk.field, weights: weighTerms(chunk, statistics) }));
  const engine: string[] = [];
  const ours: string[] = [];
  for (const question of questions) {
    const asked = new Map(terms.ofQuestion(question, [...statistics.keys()]).map(({ field, counts }) => [field, counts]));
    const score = (field: string, weights: ReadonlyMap<string, number>): number => Math.fround([...(asked.get(field) ?? [])].reduce((sum, [term, count]) => sum + count * (weights.get(term) ?? 0), 0));
    const hits = weighted.map(({ id, field, weights }) => ({ id, score: score(field, weights) })).filter((hit) => hit.score > 0);
    const best = hits.sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1)).slice(0, 10);
    ours.push(best.map(({ id }) => id).join(" "));
    engine.push((await index.search({ mode: "text", text: question, topK: 10 })).map(({ id }) => id).join(" "));
  }
  index.close();
  return { engine, ours };
}

describe("terms", () => {
  it("are cut where the engine cuts", () => {
    expect(wordsOf("foo_bar-baz.qux Mark'd 10,5 m²")).toEqual(["foo", "bar", "baz", "qux", "mark", "d", "10", "5", "m", "²"]);
    expect(wordsOf("REPL을 쓴다")).toEqual(["repl을", "쓴다"]);
    expect(wordsOf("こんにちは世界")).toEqual(["こんにちは", "世界"]);
    expect(wordsOf("ΟΔΟΣ")).toEqual(["οδοσ"]);
  });

  it("longer than 39 bytes are left out", () => {
    expect(wordsOf(`${"a".repeat(39)} ${"b".repeat(40)}`)).toEqual(["a".repeat(39)]);
  });

  it("lose accents where a letter of ASCII is under them", () => {
    expect(folded("straßeéłfi½が한")).toBe("strasseelfi12が한");
  });
});

describe("BM25 by our own terms", () => {
  it("finds what the engine finds in several languages, stop words, repeated words and chunks without words included", async () => {
    const rows = [
      row("a", "Refunds are paid within fourteen days. Refunds!"),
      row("b", "Die Rückzahlung erfolgt binnen vierzehn Tagen.", { language: "de", headings: "Zahlungen" }),
      row("c", "Les remboursements sont effectués sous quatorze jours.", { language: "fr" }),
      row("d", "Zboží se vrací do čtrnácti dnů.", { language: "cs" }),
      row("e", "The and of", { headings: "" }),
      row("f", "Days, days and more days: refunding.", { language: null }),
    ];
    const { engine, ours } = await bothAnswers(rows, ["refund refund days", "Rückzahlungen der Tage", "les jours", "čtrnácti dnů", "the", ""]);
    expect(ours).toEqual(engine);
    expect(ours[0]).toBe("f a");
  });

  it.skipIf(withoutShared)("gives the engine's ten best for every question of both judged collections", async () => {
    for (const collection of ["cranfield", "cacm"]) {
      const corpus = gunzipSync(await readFile(sharedData("retrieval", collection, "corpus.jsonl.gz"))).toString("utf8");
      const lines = (text: string): readonly Record<string, string>[] => text.trim().split("\n").map((line) => JSON.parse(line) as Record<string, string>);
      const rows = lines(corpus).map(({ id = "", title = "", text = "" }) => row(id, text || title, { headings: title }));
      const questions = lines(await readFile(sharedData("retrieval", collection, "queries.jsonl"), "utf8")).map(({ text = "" }) => text);
      const { engine, ours } = await bothAnswers(rows, questions);
      expect(ours).toEqual(engine);
    }
  }, 60_000);
});
