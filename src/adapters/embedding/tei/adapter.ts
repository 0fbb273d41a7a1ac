import type { Environment } from "../../../ports/context.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { readCount, unusable } from "../../http/options.ts";
import { modelKind, readTeiReference, teiDefaultBatch, type TeiServer } from "../../tei/server.ts";
import { checkEmbedder } from "../check.ts";
import { sendable } from "../text.ts";
import { readVectors } from "../vectors.ts";

/** The model failed inside the server, for want of memory as a rule. */
const passing = [424];

/** `tei+http://host:port[?documentPrompt=<name>&queryPrompt=<name>&dimensions=<n>]`, described by the server itself. */
export async function openEmbedder(reference: string, env: Environment): Promise<Embedder> {
  const server = readTeiReference(reference, { env, keyName: "EMBEDDER_API_KEY", optionNames: ["documentPrompt", "queryPrompt", "dimensions"] });
  const { service, options } = server;
  const documentTask = options["documentPrompt"] ?? null;
  const queryTask = options["queryPrompt"] ?? null;
  const wanted = readCount(options, "dimensions", { reference, least: 1, most: 65_536 });
  const info = await server.info();
  const kind = modelKind(info);
  if (kind !== undefined && kind !== "embedding") throw unusable(reference, `serves ${info.model_id}, which is a ${kind} and gives no embeddings`, "Attach a server that was started with an embedding model");
  const [first = new Float32Array()] = readVectors(await ask(server, ["dimensions"], { prompt: documentTask, dimensions: wanted }), { name: service.name, count: 1, dimensions: wanted });
  const dimensions = first.length;
  const embedder: Omit<Embedder, "check"> = {
    // A model's files may change under its name; their commit tells which ones these are.
    identity: { provider: "tei", model: info.model_sha ? `${info.model_id}@${info.model_sha.slice(0, 12)}` : info.model_id, dimensions, normalised: true, documentTask, queryTask },
    maxBatch: info.max_client_batch_size ?? teiDefaultBatch,
    ...(info.max_input_length === undefined ? {} : { maxTextTokens: info.max_input_length }),
    // A server of one's own.
    usdPerMillionTokens: 0,
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const answer = await ask(server, texts, { prompt: task === "query" ? queryTask : documentTask, dimensions: wanted, signal });
      return readVectors(answer, { name: service.name, count: texts.length, dimensions });
    },
  };
  return { ...embedder, check: (signal) => checkEmbedder(embedder, signal, info.version) };
}

interface How {
  readonly prompt: string | null;
  readonly dimensions: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

function ask(server: TeiServer, texts: readonly string[], { prompt, dimensions, signal }: How): Promise<unknown> {
  const body = { inputs: texts.map(sendable), truncate: true, normalize: true, ...(prompt === null ? {} : { prompt_name: prompt }), ...(dimensions === undefined ? {} : { dimensions }) };
  return server.post("/embed", body, { signal, passing });
}
