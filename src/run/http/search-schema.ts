import { z } from "zod";
import { Digest } from "../../core/descriptor.ts";
import { RetrieveSettings } from "../../manifest/schema.ts";
import { Hit, SearchMode } from "../../retrieval/schema.ts";

const { filter: Filter } = RetrieveSettings.shape;

/** Body of `POST /v1/search`. */
export const SearchRequest = z
  .strictObject({
    query: z.string().min(1).meta({ description: "What to look for" }),
    model: z.string().min(1).optional().meta({ description: "Name of the agent whose search it is" }),
    index: z.string().min(1).optional().meta({ description: "Name of the index to search, with the settings of the agent that does; this or model is needed" }),
    topK: z.int().min(1).max(100).optional().meta({ description: "How many chunks; as many as the agent gets by default" }),
    mode: SearchMode.optional().meta({ description: "vector, text or hybrid instead of the agent's" }),
    filter: Filter.meta({ description: "Metadata that a chunk's document must have, beside what the agent filters by; a list means any of its values" }),
  })
  .meta({ title: "SearchRequest", description: "Body of POST /v1/search" });

export const SearchResult = z
  .strictObject({
    object: z.literal("search.result"),
    question: z.string(),
    index: z.strictObject({ name: z.string(), digest: Digest, documents: z.int(), chunks: z.int() }),
    agent: z.string().meta({ description: "Whose settings hold" }),
    settings: z.strictObject({ mode: SearchMode, topK: z.int(), filter: Filter, minScore: z.number().optional() }).meta({ description: "How it was searched" }),
    hits: z.array(Hit).meta({ description: "Best first, as an agent would be given them" }),
  })
  .meta({ title: "SearchResult", description: "What was found, with the scores of each stage" });
export type SearchResult = z.infer<typeof SearchResult>;
