/** nDCG@10 of the built program on collections whose answers people have judged. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { openContext } from "../src/cli/context.ts";
import { openRetriever } from "../src/retrieval/read.ts";
import { findTarget } from "../src/retrieval/target.ts";
import type { Row } from "./row.ts";

const run = promisify(execFile);
const binary = join(import.meta.dirname, "../bin/twelve.js");
const shared = process.env["TWELVE_SHARED"] ?? resolve(import.meta.dirname, "../../shared");
const modes = ["text", "vector", "hybrid"] as const;

/** What an independent BM25 (k1 1.2, b 0.75, Porter stems, Lucene's stop words) reaches on the same files, and our aim. */
const collections = [
  { name: "cranfield", title: "Cranfield", reference: 0.5197, least: 0.52 },
  { name: "cacm", title: "CACM", reference: 0.4856, least: 0.48 },
] as const;

export async function benchQuality(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const collection of collections) {
    const folder = join(shared, "data", "retrieval", collection.name);
    rows.push(...(existsSync(folder) ? await benchCollection(folder, collection) : [skipped(collection.title)]));
  }
  return rows;
}

async function benchCollection(folder: string, { title, reference, least }: (typeof collections)[number]): Promise<readonly Row[]> {
  const dir = await mkdtemp(join(tmpdir(), "twelve-bench-judged-"));
  try {
    await writeDocuments(folder, dir);
    await run(process.execPath, [binary, "index", "--quiet"], { cwd: dir, maxBuffer: 2 ** 26 });
    const { text, vector, hybrid } = await measure(dir, await readJudged(folder));
    const against = (value: number, baseline: string, base: number): Pick<Row, "measured" | "baseline" | "ratio"> => ({ measured: value.toFixed(4), baseline: `${base.toFixed(4)} (${baseline})`, ratio: value / base });
    const name = `retrieval: ${title} nDCG@10`;
    return [
      { name: `${name}, text`, ...against(text, "BM25 reference", reference), budget: `>= ${least.toFixed(2)}`, isWithin: text >= least },
      { name: `${name}, hybrid with hash:512`, ...against(hybrid, "text", text), budget: ">= text", isWithin: hybrid >= text },
      { name: `${name}, hash:512 alone`, ...against(vector, "text", text), budget: "", isWithin: true },
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeDocuments(folder: string, dir: string): Promise<void> {
  await mkdir(join(dir, "docs"));
  await writeFile(join(dir, "twelve.yaml"), 'name: judged\nindexes:\n  docs: { source: [docs], embedder: "hash:512" }\n');
  const lines = gunzipSync(await readFile(join(folder, "corpus.jsonl.gz"))).toString("utf8").trim().split("\n");
  for (const line of lines) {
    const { id, title, text } = JSON.parse(line) as { readonly id: string; readonly title: string; readonly text: string };
    await writeFile(join(dir, "docs", `${id}.md`), `# ${title}\n\n${text}\n`);
  }
}

interface JudgedQuestion {
  readonly text: string;
  /** Grade of each document that answers it. */
  readonly grades: ReadonlyMap<string, number>;
}

async function readJudged(folder: string): Promise<readonly JudgedQuestion[]> {
  const grades = new Map<string, Map<string, number>>();
  for (const line of (await readFile(join(folder, "qrels.tsv"), "utf8")).trim().split("\n")) {
    const [question = "", document = "", grade] = line.split("\t");
    grades.set(question, (grades.get(question) ?? new Map<string, number>()).set(document, Number(grade)));
  }
  const questions = (await readFile(join(folder, "queries.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { readonly id: string; readonly text: string });
  return questions.flatMap(({ id, text }) => {
    const judged = grades.get(id);
    return judged === undefined ? [] : [{ text, grades: judged }];
  });
}

/** Mean over the questions, for each way to search. */
async function measure(dir: string, questions: readonly JudgedQuestion[]): Promise<Readonly<Record<(typeof modes)[number], number>>> {
  const story = { note: () => {}, warn: () => {}, progress: () => ({ update: () => {}, done: () => {}, stop: () => {} }) };
  const context = openContext({ flags: { dir }, story, signal: new AbortController().signal });
  const target = await findTarget(context, { env: "development", release: undefined, index: undefined, agent: undefined });
  const retriever = await openRetriever(context, target.plan);
  const sums = { text: 0, vector: 0, hybrid: 0 };
  for (const mode of modes) {
    // Deeper than ten, because several chunks of one document count once.
    const search = await retriever.prepare({ mode, topK: 20 });
    for (const { text, grades } of questions) {
      const found = await search(text, undefined);
      sums[mode] += gain([...new Set(found.map(({ document }) => basename(document, ".md")))].map((id) => grades.get(id) ?? 0), grades) / questions.length;
    }
  }
  retriever.close();
  return sums;
}

/** nDCG@10 with linear gains: 1 when the best documents come first. */
function gain(found: readonly number[], grades: ReadonlyMap<string, number>): number {
  const sum = (values: readonly number[]): number => values.slice(0, 10).reduce((total, grade, place) => total + grade / Math.log2(place + 2), 0);
  return sum(found) / sum([...grades.values()].sort((left, right) => right - left));
}

function skipped(title: string): Row {
  return { name: `retrieval: ${title} nDCG@10`, measured: "skipped", baseline: "no shared/data beside the checkout", ratio: null, budget: "", isWithin: true };
}
