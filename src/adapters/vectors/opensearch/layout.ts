import { z } from "zod";
import type { Connection } from "./connection.ts";

/** Everything of ours begins so: a user needs rights on these names only. */
const prefix = "twelve-vectors.";
/** Raised whenever the documents are laid out differently: an older namespace is then published anew. */
const layoutVersion = 1;
/** What a `knn_vector` can hold. */
export const maxDimensions = 16_000;
/** Stands between a term and its weight, and in no term. */
export const weightMark = "|";

/** What is known of an index when it is made. Kept in its mapping, which is never changed: k-NN plugins of 2.19 fail on that. */
const Form = z.object({
  layout: z.literal(layoutVersion),
  dimensions: z.int().positive(),
  /** Whether there is a graph to find the nearest vectors by. */
  hnsw: z.boolean(),
});
export type Form = Omit<z.infer<typeof Form>, "layout">;

/** What is known when all chunks are counted. Kept in a document of its own. */
const Weighing = z.object({
  /** The languages that are searched, by the name of their field. */
  fields: z.array(z.string()),
  /** By how much weights were multiplied to be whole numbers. */
  scale: z.number().positive(),
});
export type Weighing = z.infer<typeof Weighing>;

/** One generation of a namespace. */
export interface Generation {
  readonly index: string;
  /** Undefined for one that is not complete, or of another layout. */
  readonly form: Form | undefined;
}

/** The name under which a complete generation is found. */
export function aliasOf(namespace: string): string {
  if (!/^[a-z][a-z0-9-]{0,44}$/.test(namespace)) throw new TypeError(`${namespace} is no name of a namespace`);
  return `${prefix}${namespace}`;
}

export function indexOf(namespace: string, generation: string): string {
  return `${aliasOf(namespace)}.${generation}`;
}

/** The name under which documents go into an index that is being loaded. Where it is gone they are refused, rather than put into an index that the server makes of them. */
export function loadingAlias(index: string): string {
  return `${index}.loading`;
}

const Indexes = z.record(z.string(), z.object({ aliases: z.record(z.string(), z.unknown()).default({}), mappings: z.object({ _meta: z.unknown() }).partial().default({}) }));

/** Every generation there is, of one namespace or of all, with the namespace's name. */
export async function findGenerations({ ask }: Pick<Connection, "ask">, namespace: string | undefined, signal?: AbortSignal): Promise<readonly (Generation & { readonly namespace: string })[]> {
  const pattern = namespace === undefined ? `${prefix}*` : `${aliasOf(namespace)}.*`;
  const found = await ask({ method: "GET", path: `/${pattern}`, query: { allow_no_indices: true, ignore_unavailable: true, filter_path: "*.aliases,*.mappings._meta" }, answer: Indexes, signal });
  return Object.entries(found).flatMap(([index, { aliases, mappings: { _meta: form } }]) => {
    const name = index.slice(prefix.length).split(".")[0] ?? "";
    const isComplete = Object.hasOwn(aliases, `${prefix}${name}`);
    return [{ index, namespace: name, form: isComplete ? Form.safeParse(form).data : undefined }];
  });
}

/**
 * Two kinds of documents: `c<number>` with a chunk and its vector, and, because weights are known only when all chunks are counted, `t<number>`
 * with the weights of its terms, as the frequencies of terms in a field whose score is that frequency. The server's own BM25 rounds lengths.
 */
export function indexBody({ dimensions, hnsw }: Form, loading: string): object {
  const stored = { type: "keyword", index: false, doc_values: false };
  return {
    aliases: { [loading]: {} },
    settings: {
      index: { refresh_interval: "-1", ...(hnsw ? { knn: true } : {}), similarity: { weight: { type: "scripted", script: { source: "return query.boost * doc.freq;" } } } },
      analysis: {
        filter: { weight: { type: "delimited_term_freq", delimiter: weightMark } },
        // Each term is a value of its own, of any length.
        analyzer: { weighed: { type: "custom", tokenizer: "keyword", filter: ["weight"] } },
      },
    },
    mappings: {
      dynamic: "strict",
      _meta: { layout: layoutVersion, dimensions, hnsw },
      // The exact vector is kept in `bytes`, in a fifth of the space that its digits would take.
      _source: { includes: ["id", "content", "bytes"] },
      properties: {
        id: { type: "keyword" },
        number: { type: "integer" },
        labels: { type: "keyword", doc_values: false },
        content: stored,
        bytes: { ...stored },
        vector: { type: "knn_vector", dimension: dimensions, ...(hnsw ? { method: { name: "hnsw", engine: "lucene", space_type: "cosinesimil" } } : {}) },
        terms: { type: "text", analyzer: "weighed", similarity: "weight", norms: false, index_options: "freqs" },
      },
    },
  };
}

export const weighingId = "weighing";

export function weighingDocument(weighing: Weighing): object {
  return { id: weighingId, content: JSON.stringify(weighing) };
}

const WeighingDocument = z.looseObject({ _source: z.looseObject({ content: z.string() }) });

export async function readWeighing({ ask }: Connection, index: string): Promise<Weighing> {
  const { _source: source } = await ask({ method: "GET", path: `/${index}/_doc/${weighingId}`, answer: WeighingDocument });
  return Weighing.parse(JSON.parse(source.content));
}

export const Done = z.looseObject({});
