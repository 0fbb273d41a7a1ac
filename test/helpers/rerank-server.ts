/** The rerank API of Cohere and of Jina, as they answer on the wire. */
import { meaningfulVectors } from "./embedding-vectors.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

interface Body {
  readonly model?: string;
  readonly query?: string;
  readonly documents?: readonly string[];
  readonly top_n?: number;
}

export function startRerankServer(key: string): Promise<ServiceServer> {
  const vectorsOf = meaningfulVectors();

  async function answer({ method, path, headers, body }: Asked): Promise<Reply> {
    const isCohere = path === "/v2/rerank";
    if (headers.authorization !== `Bearer ${key}`) return { status: 401, body: isCohere ? { id: "1", message: "invalid api token" } : { detail: "Unauthorized" } };
    if (method === "GET" && path === "/v1/models/rerank-v3.5") return { body: { name: "rerank-v3.5", endpoints: ["rerank"], finetuned: false, context_length: 4096 } };
    if (method !== "POST" || (!isCohere && path !== "/v1/rerank")) return { status: 404, body: { message: "not found" } };
    const { model, query = "", documents = [], top_n: most = documents.length } = (body ?? {}) as Body;
    if (documents.length === 0 || documents.some((text) => text.trim() === "")) return { status: 400, body: { message: "invalid request: list of documents must not be empty" } };
    const [question = new Float32Array(), ...vectors] = await vectorsOf([query, ...documents], 256);
    const results = vectors.map((vector, index) => ({ index, relevance_score: 1 / (1 + Math.exp(-4 * vector.reduce((sum, value, i) => sum + value * (question[i] ?? 0), 0))) }));
    const best = results.sort((left, right) => right.relevance_score - left.relevance_score).slice(0, most);
    return { body: isCohere ? { id: "1", results: best, meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } } } : { model, usage: { total_tokens: documents.length }, results: best } };
  }

  return startServer(answer);
}
