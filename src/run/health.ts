import type { Retriever } from "../retrieval/read.ts";

/** One thing that answering needs, and whether it is there. */
export interface RuntimePart {
  readonly name: string;
  readonly isReady: boolean;
  readonly detail: string;
}

interface Parts {
  /** Such as v3. */
  readonly release: string;
  readonly retrievers: readonly Retriever[];
  readonly models: readonly string[];
}

/** Looks at everything that an answer needs, without spending a model call. */
export async function checkParts({ release, retrievers, models }: Parts): Promise<readonly RuntimePart[]> {
  return [
    { name: "release", isReady: true, detail: `${release}, every digest verified at start` },
    ...(await Promise.all(retrievers.map(checkRetriever))),
    ...models.map((model) => ({ name: `model ${model}`, isReady: true, detail: "open; asked only for answers" })),
  ];
}

async function checkRetriever(retriever: Retriever): Promise<RuntimePart> {
  const name = `index ${retriever.name}`;
  try {
    const chunks = await retriever.count();
    return { name, isReady: true, detail: `${chunks} chunks of ${retriever.index.documents} documents; the embedder agrees to ${retriever.probeCosine.toFixed(4)}` };
  } catch (error) {
    return { name, isReady: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
