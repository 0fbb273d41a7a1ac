import { TwelveError } from "../../../core/errors.ts";
import { wait } from "../../../core/patience.ts";
import type { Environment } from "../../../ports/context.ts";
import type { VectorService } from "../../../ports/vectors.ts";
import { askedAgain, findIndexes, type Indexes, type Sleep } from "./connection.ts";
import { listMarked, readMarker, removeNamespace } from "./layout.ts";
import { publishNamespace } from "./publish.ts";
import { readReference } from "./reference.ts";
import { openNamespace } from "./search.ts";

interface From {
  readonly dir: string;
  readonly env: Environment;
}

/** Pinecone: `pinecone://<index>`, a serverless index for vectors, beside which `<index>-text` holds the words. Both must be there. */
export function openService(written: string, { dir, env }: From, sleep: Sleep = wait): VectorService {
  const reference = readReference(written, env);
  const { url, index, textIndex } = reference;
  const patience = { sleep, waitMs: reference.waitMs };
  let finding: Promise<Indexes> | undefined;

  /** Where they are is asked once; what failed is asked again. */
  function indexes(): Promise<Indexes> {
    return (finding ??= findIndexes(reference).catch((error: unknown) => {
      finding = undefined;
      throw error;
    }));
  }

  return {
    url,
    namespaces: async () => listMarked(await indexes()),
    holds: async (namespace) => (await readMarker(await indexes(), namespace)) !== undefined,
    async publish(namespace, wanted) {
      const found = await findIndexes(reference, { dimensions: wanted.dimensions });
      await publishNamespace(found, { namespace, dir, patience, ...wanted });
    },
    async open(namespace) {
      const found = await indexes();
      const marker = await readMarker(found, namespace);
      if (marker === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${url} holds no index ${namespace}`, { fix: "Publish the index there again" });
      return openNamespace({ indexes: found, url, namespace, marker, sleep });
    },
    async drop(namespace) {
      const found = await indexes();
      await removeNamespace({ ...found, vectors: askedAgain(found.vectors, sleep), words: askedAgain(found.words, sleep) }, namespace, patience);
    },
    async check(signal) {
      const found = await findIndexes(reference, { signal });
      const count = (await listMarked(found, signal)).length;
      return { version: null, detail: `index ${index}, ${found.vectors.dimension} dimensions, words in ${textIndex}, ${count} published ${count === 1 ? "index" : "indexes"}` };
    },
    async close() {},
  };
}
