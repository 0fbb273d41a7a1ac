/** text-embeddings-inference as it answers on the wire: `/info`, `/embed` and `/rerank`. */
import { jsonOf, meaningfulVectors } from "./embedding-vectors.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

export interface TeiServerOptions {
  readonly model?: "embedding" | "reranker";
  readonly dimensions?: number;
  readonly maxBatch?: number;
  readonly key?: string;
  readonly port?: number;
  /** The prompts that the model's files name. */
  readonly prompts?: Readonly<Record<string, string>>;
}

interface Body {
  readonly inputs?: string | readonly string[];
  readonly prompt_name?: string;
  readonly dimensions?: number;
  readonly normalize?: boolean;
  readonly query?: string;
  readonly texts?: readonly string[];
}

export async function startTeiServer({ model = "embedding", dimensions = 64, maxBatch = 32, key, port, prompts = {} }: TeiServerOptions = {}): Promise<ServiceServer> {
  const vectorsOf = meaningfulVectors();
  const info = {
    model_id: model === "embedding" ? "BAAI/bge-small-en-v1.5" : "BAAI/bge-reranker-base",
    model_sha: "5c38ec7c405ec4b44b94cc5a9bb96e735b38267a",
    model_dtype: "float16",
    model_type: model === "embedding" ? { embedding: { pooling: "cls" } } : { reranker: { id2label: { 0: "LABEL_0" }, label2id: { LABEL_0: 0 } } },
    max_concurrent_requests: 512, max_input_length: 512, max_batch_tokens: 16_384, max_batch_requests: null, max_client_batch_size: maxBatch, auto_truncate: false, tokenization_workers: 4, version: "1.8.2", sha: "c1", docker_label: "sha-c1",
  };

  async function answer({ method, path, headers, body }: Asked): Promise<Reply> {
    if (key !== undefined && headers.authorization !== `Bearer ${key}`) return { status: 401, headers: { "content-type": "text/plain" }, json: "" };
    if (method === "GET" && path === "/info") return { body: info };
    const { inputs, prompt_name: prompt, dimensions: wanted = dimensions, query, texts } = (body ?? {}) as Body;
    const given = texts ?? (typeof inputs === "string" ? [inputs] : inputs);
    if (given === undefined || given.length === 0) return refuse(422, "`inputs` cannot be empty", "Validation");
    if (given.length > maxBatch) return refuse(413, `batch size ${given.length} > maximum allowed batch size ${maxBatch}`, "Validation");
    if (given.includes("")) return refuse(422, "`inputs` cannot be empty", "Validation");
    if (path === "/embed") {
      if (model !== "embedding") return refuse(424, "Model is not an embedding model", "Backend");
      const prefix = prompt === undefined ? "" : prompts[prompt];
      if (prefix === undefined) return refuse(422, `\`default_prompt_name=${prompt}\` not found in the Sentence Transformers configuration`, "Validation");
      const vectors = await vectorsOf(given.map((text) => prefix + text), wanted);
      return { headers: { "x-compute-tokens": String(given.length) }, json: `[${vectors.map(jsonOf).join(",")}]` };
    }
    if (path !== "/rerank") return { status: 404, json: "" };
    if (model !== "reranker") return refuse(424, "Model is not a re-ranker model", "Backend");
    const [question = new Float32Array(), ...rest] = await vectorsOf([query ?? "", ...given], wanted);
    const scores = rest.map((vector, index) => ({ index, score: 1 / (1 + Math.exp(-4 * vector.reduce((sum, value, i) => sum + value * (question[i] ?? 0), 0))) }));
    return { body: scores.sort((left, right) => right.score - left.score) };
  }

  return startServer(answer, port === undefined ? {} : { port });
}

function refuse(status: number, error: string, type: string): Reply {
  return { status, body: { error, error_type: type } };
}
