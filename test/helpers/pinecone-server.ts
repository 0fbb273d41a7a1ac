/**
 * Pinecone's control plane and data plane, as they answer on the wire (API version 2026-04). Where Pinecone gives each index a host of
 * its own, this one gives each a path: `http://127.0.0.1:4711/hosts/docs`.
 */
import { type Freshness, pineconeIndex, type PineconeIndex, type PineconeKind, type PineconeRecord, Refused } from "./pinecone-index.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

interface Made extends PineconeKind {
  readonly name: string;
  readonly state?: string;
  readonly spec?: unknown;
}

export interface PineconeServer extends ServiceServer {
  readonly indexes: ReadonlyMap<string, PineconeIndex>;
}

interface Options extends Freshness {
  readonly key: string;
  readonly indexes?: readonly Made[];
  /** Answers a request in the server's place. */
  readonly instead?: (asked: Asked) => Reply | undefined | Promise<Reply | undefined>;
}

const mostBytes = 2_000_000;
const serverless = { serverless: { cloud: "aws", region: "us-east-1" } };

export const dense = (name: string, dimension: number): Made => ({ name, dimension, metric: "cosine", vector_type: "dense" });
export const sparse = (name: string): Made => ({ name, metric: "dotproduct", vector_type: "sparse" });

export async function startPinecone({ key, indexes: first = [], instead = () => undefined, ...freshness }: Options): Promise<PineconeServer> {
  const made = new Map<string, Made>();
  const indexes = new Map<string, PineconeIndex>();
  let origin = "";
  function make(index: Made): void {
    made.set(index.name, index);
    indexes.set(index.name, pineconeIndex(index, freshness));
  }
  for (const index of first) make(index);

  function modelOf({ name, dimension, metric, vector_type, state = "Ready", spec = serverless }: Made): unknown {
    return { name, ...(dimension === undefined ? {} : { dimension }), metric, host: `${origin}/hosts/${name}`, deletion_protection: "disabled", tags: null, spec, status: { ready: state === "Ready", state }, vector_type };
  }

  function control({ method, body }: Asked, name: string): Reply {
    if (method === "POST" && name === "") {
      const wanted = body as Made;
      if (made.has(wanted.name)) return controlError(409, "ALREADY_EXISTS", "Resource  already exists");
      make({ ...wanted, vector_type: wanted.vector_type ?? "dense" });
      return { status: 201, body: modelOf(made.get(wanted.name) ?? wanted) };
    }
    const index = made.get(name);
    if (index === undefined || method !== "GET") return controlError(404, "NOT_FOUND", `Resource ${name} not found`);
    return { body: modelOf(index) };
  }

  function answer(asked: Asked): Reply {
    const url = new URL(asked.path, origin);
    const [, kind, name = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const isControl = kind === "indexes";
    if (asked.headers["api-key"] !== key) return isControl ? controlError(401, "UNAUTHENTICATED", "Invalid API key") : { status: 401, headers: { "content-type": "text/plain" }, send: (response) => void response.writeHead(401, { "content-type": "text/plain" }).end("Unauthorized") };
    if (isControl) return control(asked, name);
    const index = indexes.get(name);
    if (index === undefined) return { status: 404, send: (response) => void response.writeHead(404).end() };
    try {
      return data(index, asked, rest.join("/"), url.searchParams);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { status: error.status, headers: { "x-pinecone-request-id": "4711" }, body: { code: error.code, message: error.message, details: [] } };
    }
  }

  const server = await startServer(async (asked) => (await instead(asked)) ?? answer(asked));
  origin = server.url;
  return { ...server, indexes };
}

function controlError(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message }, status } };
}

function data(index: PineconeIndex, { method, headers, body }: Asked, path: string, query: URLSearchParams): Reply {
  const { namespace = "", vectors = [], name = "", schema, ...fields } = (body ?? {}) as { namespace?: string; vectors?: readonly PineconeRecord[]; name?: string; schema?: Parameters<PineconeIndex["createSpace"]>[1] };
  const space = query.get("namespace") ?? "";
  const limit = query.get("limit");
  const token = query.get("paginationToken");
  const page = { prefix: query.get("prefix") ?? "", ...(limit === null ? {} : { limit: Number(limit) }), ...(token === null ? {} : { from: Buffer.from(token, "base64").toString("utf8") }) };
  if (Number(headers["content-length"] ?? 0) > mostBytes) throw new Refused(400, 3, "Request size exceeds the limit of 2MB");
  switch (`${method} ${path}`) {
    case "POST vectors/upsert": {
      const { lsn, body: upserted } = index.upsert(namespace, vectors);
      return { headers: { "x-pinecone-request-lsn": String(lsn) }, body: upserted };
    }
    case "POST query": {
      const { lsn, body: found } = index.query(namespace, fields);
      return { ...(lsn === undefined ? {} : { headers: { "x-pinecone-max-indexed-lsn": String(lsn) } }), body: found };
    }
    case "POST vectors/delete": {
      const { lsn, body: deleted } = index.delete(namespace, fields);
      return { headers: { "x-pinecone-request-lsn": String(lsn) }, body: deleted };
    }
    case "GET vectors/fetch": return { body: index.fetch(space, query.getAll("ids")) };
    case "GET vectors/list": return { body: index.list(space, page) };
    case "POST describe_index_stats": return { body: index.stats() };
    case "GET namespaces": return { body: index.listSpaces(page) };
    case "POST namespaces": return { body: index.createSpace(name, schema) };
  }
  const [, one] = /^namespaces\/(.+)$/.exec(path) ?? [];
  if (one !== undefined && method === "GET") return { body: index.describeSpace(one) };
  if (one !== undefined && method === "DELETE") return { body: index.deleteSpace(one) };
  return { status: 404, body: { code: 5, message: "Not Found", details: [] } };
}
