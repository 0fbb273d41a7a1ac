import type { ServiceCheck } from "../../ports/check.ts";
import type { Embedder } from "../../ports/embedding.ts";

/** One short text embedded: the address answers, the key is taken, and the vectors are as long as they should be. */
export async function checkEmbedder(embedder: Pick<Embedder, "embed" | "identity">, signal: AbortSignal | undefined, version: string | null = null): Promise<ServiceCheck> {
  await embedder.embed(["ready"], "document", signal);
  return { version, detail: `${embedder.identity.dimensions} dimensions` };
}
