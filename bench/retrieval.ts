/** How well documents are found in judged collections, and how fast among 100,000 chunks. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openEmbedder } from "../src/adapters/embedding/hash/adapter.ts";
import { openVectors } from "../src/adapters/vectors/lance/adapter.ts";
import type { VectorRow } from "../src/ports/vectors.ts";
import { openRetrieval } from "./ask.ts";
import { benchQuality } from "./judged.ts";
import { passageMaker } from "./passage.ts";
import { median, type Row, scaled } from "./row.ts";

const run = promisify(execFile);
const rowsAtOnce = 2048;
const questionCount = 100;

export async function benchRetrieval({ chunks = scaled(100_000, 12_000) } = {}): Promise<readonly Row[]> {
  return [...(await benchQuality()), ...(await benchSpeed(chunks))];
}

async function benchSpeed(chunks: number): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "twelve-bench-retrieval-"));
  try {
    const maker = passageMaker();
    const vectors = new Map<string, Float32Array>();
    const startMs = performance.now();
    await openVectors().write(folder, { dimensions: 512, rows: rowsOf(maker.passage, chunks, vectors) });
    const writtenMs = performance.now() - startMs;
    const questions = Array.from({ length: questionCount }, maker.question);
    const coldMs: number[] = [];
    for (let round = 0; round < 3; round++) coldMs.push(await askInFreshProcess(folder, questions[round] ?? ""));
    const { hybrid, byVector, close } = await openRetrieval(folder);
    const timesMs: number[] = [];
    for (const question of questions) {
      const asked = performance.now();
      await hybrid(question);
      timesMs.push(performance.now() - asked);
    }
    const recall = await recallOf(questions, vectors, byVector);
    close();
    const title = `${chunks.toLocaleString("en")} chunks`;
    const p50 = median(timesMs);
    return [
      row(`${title}: hybrid, p50`, milliseconds(p50), "<= 15 ms", p50 <= 15),
      row(`${title}: hybrid, p95`, milliseconds(timesMs.toSorted((left, right) => left - right)[Math.floor(timesMs.length * 0.95)] ?? 0), "", true),
      row(`${title}: recall@10 against exact search`, recall.toFixed(4), ">= 0.95", recall >= 0.95),
      row(`${title}: cold start to first answer`, milliseconds(median(coldMs)), "<= 500 ms", median(coldMs) <= 500),
      row(`${title}: embedded and written`, `${(writtenMs / 1000).toFixed(1)} s`, "", true),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a served agent takes from the start of its process to its first answer. */
async function askInFreshProcess(folder: string, question: string): Promise<number> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "ask.ts"), folder, question]);
  return Number(stdout);
}

async function* rowsOf(passage: () => string, count: number, vectors: Map<string, Float32Array>): AsyncIterable<readonly VectorRow[]> {
  const embedder = openEmbedder("hash:512");
  for (let start = 0; start < count; start += rowsAtOnce) {
    const texts = Array.from({ length: Math.min(rowsAtOnce, count - start) }, passage);
    const embedded = await embedder.embed(texts, "document");
    yield texts.map((text, i): VectorRow => {
      const id = `chunk-${start + i}`;
      const vector = embedded[i] ?? new Float32Array(512);
      vectors.set(id, vector);
      return { id, document: `docs/${Math.floor((start + i) / 8)}.md`, headings: "Bench", text, language: "en", metadata: { language: "en" }, vector };
    });
  }
}

async function recallOf(questions: readonly string[], vectors: ReadonlyMap<string, Float32Array>, byVector: (question: string) => Promise<readonly string[]>): Promise<number> {
  const asked = await openEmbedder("hash:512").embed(questions, "query");
  let found = 0;
  for (const [i, question] of questions.entries()) {
    const vector = asked[i] ?? new Float32Array(512);
    const scored = [...vectors].map(([id, other]) => [id, dot(vector, other)] as const).sort(([, left], [, right]) => right - left);
    const exact = new Set(scored.slice(0, 10).map(([id]) => id));
    found += (await byVector(question)).filter((id) => exact.has(id)).length;
  }
  return found / (questions.length * 10);
}

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function row(name: string, measured: string, budget: string, isWithin: boolean): Row {
  return { name: `retrieval: ${name}`, measured, baseline: "", ratio: null, budget, isWithin };
}
