/** InvokeModel of Bedrock's embedding models, as it answers on the wire, over HTTP/1.1 and HTTP/2 on one port. */
import { createServer as createHttp1, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createTcp, type Socket } from "node:net";
import { meaningfulVectors } from "./embedding-vectors.ts";
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
}

export function startBedrockServer({ bearer }: BedrockServerOptions = {}): Promise<ServiceServer> {
  const vectorsOf = meaningfulVectors();

  async function answer({ method, path, headers, body }: Asked): Promise<Reply> {
    const authorization = headers.authorization ?? "";
    if (bearer !== undefined && authorization !== `Bearer ${bearer}`) return refuse(403, "AccessDeniedException", "Bearer Token has expired");
    if (bearer === undefined && !authorization.startsWith("AWS4-HMAC-SHA256 Credential=")) return refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    const encoded = /^\/model\/([^/]+)\/invoke$/.exec(path)?.[1];
    if (method !== "POST" || encoded === undefined) return refuse(404, "UnknownOperationException", "");
    const model = decodeURIComponent(encoded);
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

function refuse(status: number, type: string, message: string): Reply {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "b0a1" }, body: { message } };
}

/** The first bytes of a connection tell which of the two is spoken. */
function listenBoth(handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const one = createHttp1(handler);
  const two = createHttp2((request, response) => handler(request as unknown as IncomingMessage, response as unknown as ServerResponse));
  const sockets = new Set<Socket>();
  const tcp = createTcp((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.once("readable", () => {
      const start = socket.read() as Buffer | null;
      if (start === null) return;
      socket.unshift(start);
      (start.subarray(0, 3).toString("latin1") === "PRI" ? two : one).emit("connection", socket);
    });
  });
  return Object.assign(tcp as unknown as Server, { closeAllConnections: () => sockets.forEach((socket) => socket.destroy()) });
}
