/** Bedrock as it answers on the wire: embeddings, conversations, its catalogue of models, and reranking. */
import { catalogueReply } from "./bedrock-catalogue.ts";
import { rerankReply } from "./bedrock-rerank.ts";
import { meaningfulVectors } from "./embedding-vectors.ts";
import { listenBoth } from "./listen-both.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

interface Body {
  readonly inputText?: string;
  readonly dimensions?: number;
  readonly texts?: readonly string[];
  readonly input_type?: string;
  readonly output_dimension?: number;
  readonly embedding_types?: readonly string[];
}

export interface BedrockServerOptions {
  /** The only bearer token that is accepted; signed requests are accepted unchecked where there is none. */
  readonly bearer?: string;
  /** Answers ConverseStream; without it there are no such models. */
  readonly converse?: (asked: Asked, model: string) => Reply;
}

export function startBedrockServer({ bearer, converse }: BedrockServerOptions = {}): Promise<ServiceServer> {
  const vectorsOf = meaningfulVectors();

  async function answer({ method, path, headers, body }: Asked): Promise<Reply> {
    const authorization = headers.authorization ?? "";
    if (bearer !== undefined && authorization !== `Bearer ${bearer}`) return refuse(403, "AccessDeniedException", "Bearer Token has expired");
    if (bearer === undefined && !authorization.startsWith("AWS4-HMAC-SHA256 Credential=")) return refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    const found = method === "GET" ? catalogueReply(path) : undefined;
    if (found !== undefined) return found;
    if (method === "POST" && path === "/rerank") return rerankReply(body, vectorsOf);
    const [, encoded, operation] = /^\/model\/([^/]+)\/(invoke|converse-stream)$/.exec(path) ?? [];
    if (method !== "POST" || encoded === undefined) return refuse(404, "UnknownOperationException", "");
    const model = decodeURIComponent(encoded);
    if (operation === "converse-stream") return converse?.({ method, path, headers, body }, model) ?? refuse(400, "ValidationException", "The provided model identifier is invalid.");
    const request = (body ?? {}) as Body;
    if (model.includes("titan-embed")) return titan(request, model);
    if (model.includes("cohere.embed")) return cohere(request, model);
    return refuse(400, "ValidationException", "The provided model identifier is invalid.");
  }

  async function titan({ inputText, dimensions }: Body, model: string): Promise<Reply> {
    const isSecond = model.includes("v2");
    if (!isSecond && dimensions !== undefined) return malformed("extraneous key [dimensions] is not permitted");
    if (inputText === undefined || inputText === "") return malformed("expected minLength: 1, actual: 0");
    if (inputText.length > 50_000) return malformed(`expected maxLength: 50000, actual: ${inputText.length}`);
    const [vector = new Float32Array()] = await vectorsOf([inputText], isSecond ? (dimensions ?? 1024) : 1536);
    const embedding = Array.from(vector);
    return { body: { embedding, ...(isSecond ? { embeddingsByType: { float: embedding } } : {}), inputTextTokenCount: inputText.split(/\s+/).length } };
  }

  async function cohere({ texts, input_type: task, output_dimension: wanted, embedding_types: types }: Body, model: string): Promise<Reply> {
    const isFourth = model.includes("v4");
    if (task === undefined) return malformed("required key [input_type] not found");
    if (texts === undefined || texts.length === 0 || texts.length > 96) return malformed(`#/texts: expected maximum item count: 96, found: ${texts?.length ?? 0}`);
    if (texts.includes("")) return malformed("#/texts/0: expected minLength: 1, actual: 0");
    const long = texts.find((text) => !isFourth && text.length > 2048);
    if (long !== undefined) return malformed(`#/texts/0: expected maxLength: 2048, actual: ${long.length}`);
    // A query is embedded otherwise than a document.
    const vectors = await vectorsOf(texts.map((text) => (task === "search_query" ? `query ${text}` : text)), isFourth ? (wanted ?? 1536) : 1024);
    const embeddings = vectors.map((vector) => Array.from(vector));
    return { body: types === undefined ? { embeddings, id: "1", response_type: "embeddings_floats", texts } : { embeddings: { float: embeddings }, id: "1", response_type: "embeddings_by_type", texts } };
  }

  return startServer(answer, { listen: listenBoth });
}

function malformed(reason: string): Reply {
  return refuse(400, "ValidationException", `Malformed input request: ${reason}, please reformat your input and try again.`);
}

export function refuse(status: number, type: string, message: string): Reply {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "b0a1" }, body: { message } };
}
