/** Opens an index and asks it as an agent does. As a program: prints the milliseconds from the start of the process to the first answer. */
import { openEmbedder } from "../src/adapters/embedding/hash/adapter.ts";
import { openVectors } from "../src/adapters/vectors/lance/adapter.ts";
import { planSearch } from "../src/retrieval/plan.ts";
import { searchChunks } from "../src/retrieval/search.ts";

export interface Retrieval {
  /** IDs of the ten best chunks. */
  readonly hybrid: (question: string) => Promise<readonly string[]>;
  readonly byVector: (question: string) => Promise<readonly string[]>;
  readonly close: () => void;
}

export async function openRetrieval(folder: string): Promise<Retrieval> {
  const embedder = openEmbedder("hash:512");
  const vectors = await openVectors().open(folder);
  const ask = (mode: "hybrid" | "vector") => async (question: string): Promise<readonly string[]> => {
    const found = await searchChunks(question, planSearch({ mode, topK: 10 }, embedder.fusionWeight), { vectors, embedder, reranker: undefined });
    return found.map(({ id }) => id);
  };
  return { hybrid: ask("hybrid"), byVector: ask("vector"), close: () => vectors.close() };
}

const [, , folder, question] = process.argv;
if (import.meta.main && folder !== undefined && question !== undefined) {
  const { hybrid } = await openRetrieval(folder);
  await hybrid(question);
  process.stdout.write(String(performance.now()));
}
