import type { FastifyInstance } from "fastify";
import { countTokens } from "../../core/tokens.ts";
import type { Server } from "./api.ts";
import { parseBody } from "./asking.ts";
import { textsOf } from "./embedding-input.ts";
import { type EmbeddingList, EmbeddingRequest } from "./embeddings-schema.ts";
import { openFinished } from "./finished.ts";

/** `POST /v1/embeddings`: vectors by the embedder of an index, such as the ones it was made with. */
export function addEmbeddings(app: FastifyInstance, server: Server): void {
  const { runtime } = server;
  const begin = openFinished(server);
  app.post("/v1/embeddings", async (request, reply) => {
    const finished = begin(request);
    const { model, input, input_type: task, encoding_format: encoding, dimensions } = parseBody(EmbeddingRequest, request.body);
    const texts = await textsOf(input);
    const vectors = await runtime.embed({ index: model, texts, task, ...(dimensions === undefined ? {} : { dimensions }), signal: request.life });
    const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
    const list: EmbeddingList = {
      object: "list",
      model,
      data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encoding === "base64" ? base64Of(vector) : [...vector] })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
    finished({ "twelve.index.name": model, "gen_ai.usage.input_tokens": tokens });
    return reply.send(list);
  });
}

/** 32-bit numbers, the lowest byte first whatever this machine has. */
function base64Of(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [at, value] of vector.entries()) bytes.setFloat32(at * 4, value, true);
  return Buffer.from(bytes.buffer).toString("base64");
}
