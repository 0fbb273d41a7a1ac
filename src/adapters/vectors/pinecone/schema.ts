import { z } from "zod";

/** Of Pinecone's answers what is read here (https://github.com/pinecone-io/pinecone-api, 2026-04); fields that hold nothing may be left out. */
export const apiVersion = "2026-04";

/** What is kept beside the vectors of a chunk. */
const ChunkMetadata = z.looseObject({ content: z.string(), hasDirection: z.boolean() });
const Pagination = z.looseObject({ next: z.string().default("") }).nullish();

export const IndexModel = z.looseObject({
  host: z.string().min(1),
  metric: z.string().optional(),
  vector_type: z.string().default("dense"),
  dimension: z.int().positive().nullish(),
  spec: z.looseObject({ pod: z.unknown().optional() }).nullish(),
  status: z.looseObject({ ready: z.boolean(), state: z.string() }),
});
export type IndexModel = z.infer<typeof IndexModel>;

export const Nothing = z.unknown();

export const Upserted = z.looseObject({ upsertedCount: z.int().optional() });

const Match = z.looseObject({ id: z.string(), score: z.number().default(0), metadata: ChunkMetadata.nullish() });
export type Match = z.infer<typeof Match>;
/** Best first; equal scores come in no order that is promised. */
export const Matches = z.looseObject({ matches: z.array(Match).default([]) });

const Stored = z.looseObject({ values: z.array(z.number()).default([]), metadata: ChunkMetadata });
export type Stored = z.infer<typeof Stored>;
export const Fetched = z.looseObject({ vectors: z.record(z.string(), Stored).default({}) });
export const FetchedMarkers = z.looseObject({ vectors: z.record(z.string(), z.looseObject({ metadata: z.looseObject({ marker: z.string() }) })).default({}) });

export const Listed = z.looseObject({ vectors: z.array(z.looseObject({ id: z.string() })).default([]), pagination: Pagination });

export const Spaces = z.looseObject({ namespaces: z.array(z.looseObject({ name: z.string().default("") })).default([]), pagination: Pagination });
/** A number that protobuf writes as a text. */
export const Space = z.looseObject({ record_count: z.coerce.number().default(0) });

/** What opening a published namespace needs to know of it. */
const Marker = z.strictObject({
  generation: z.string().regex(/^[0-9a-f]{8}$/),
  dimensions: z.int().positive(),
  /** Those that text search looks at. */
  fields: z.array(z.string()),
  chunks: z.int().nonnegative(),
  /** Whether some vectors are zero, which no search for vectors may find. */
  hasZeros: z.boolean(),
  /** Of the metadata of one chunk at most, from which follows how many an answer may hold. */
  largestBytes: z.int().nonnegative(),
});
export type Marker = z.infer<typeof Marker>;

/** undefined for a text that this layout did not write. */
export function parseMarker(text: string): Marker | undefined {
  try {
    return Marker.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
