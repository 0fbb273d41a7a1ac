import { z } from "zod";
import { mostEntries, User } from "./field.ts";

/** No embedder takes more of one text. */
const mostTokens = 32_768;
const Text = z.string("Expected a text").min(1, "A text must hold something");
const Token = z.int("Expected a token").min(0);
const Tokens = z.array(Token).min(1, "A text must hold something").max(mostTokens);

/** Body of `POST /v1/embeddings`. */
export const EmbeddingRequest = z
  .strictObject({
    model: z.string().min(1).meta({ description: "Name of an index that an agent searches: its embedder gives the vectors" }),
    input: z
      .union([Text, z.array(Text).min(1).max(mostEntries), Tokens, z.array(Tokens).min(1).max(mostEntries)], { error: `Expected a text, or a list of at most ${mostEntries} texts; or the same as tokens` })
      .meta({ description: "Tokens are those of cl100k_base, which OpenAI's embedding models read; every embedder is given the text that they stand for" }),
    input_type: z.enum(["query", "document"]).default("query").meta({ description: "What the texts are, where the embedder tells questions from documents; an extension of twelve" }),
    encoding_format: z.enum(["float", "base64"]).default("float").meta({ description: "base64 holds 32-bit little-endian numbers" }),
    dimensions: z.int().positive().optional().meta({ description: "Must be those of the index, if given" }),
    user: User,
  })
  .meta({ title: "EmbeddingRequest", description: "Body of POST /v1/embeddings" });
export type EmbeddingRequest = z.infer<typeof EmbeddingRequest>;

export const EmbeddingList = z
  .strictObject({
    object: z.literal("list"),
    model: z.string().meta({ description: "Name of the index" }),
    data: z.array(z.strictObject({ object: z.literal("embedding"), index: z.int(), embedding: z.union([z.array(z.number()), z.string()]).meta({ description: "Numbers, or their bytes as base64" }) })),
    usage: z.strictObject({ prompt_tokens: z.int().meta({ description: "Counted here, within about 15% of what the provider bills" }), total_tokens: z.int() }),
  })
  .meta({ title: "EmbeddingList", description: "One vector for each text, in order" });
export type EmbeddingList = z.infer<typeof EmbeddingList>;
