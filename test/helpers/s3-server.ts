import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listening } from "./listen.ts";

export interface StoredObject {
  readonly content: string;
  readonly storage?: string;
}

export interface S3Server {
  readonly env: Readonly<Record<string, string>>;
  readonly objects: Map<string, StoredObject>;
  /** Method and target of every request so far. */
  readonly requests: readonly string[];
}

interface ServerOptions {
  readonly objects?: Readonly<Record<string, string | StoredObject>>;
  /** Keys on a page. */
  readonly pageSize?: number;
  /** Answers in place of the server where it gives true. */
  readonly fault?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** The two calls of S3 that a source makes, of one bucket "manuals", as the real one answers; and every fault a test wants. */
export async function startS3Server({ objects = {}, pageSize = 1000, fault = () => false }: ServerOptions): Promise<S3Server> {
  const stored = new Map(Object.entries(objects).map(([key, value]) => [key, typeof value === "string" ? { content: value } : value]));
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (fault(request, response)) return;
    const url = new URL(`http://localhost${request.url?.replace(/^\/+/, "/")}`);
    const [, bucket = "", ...rest] = (request.url ?? "").replace(/\?.*/, "").split("/");
    if (bucket !== "manuals") answerError(response, 404, "NoSuchBucket");
    else if (url.searchParams.has("list-type")) response.end(listing(stored, url.searchParams, pageSize));
    else answerObject(request, response, stored.get(decodeURIComponent(rest.join("/"))));
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  return { env: { AWS_ENDPOINT_URL_S3: url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }, objects: stored, requests };
}

export function answerError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code><Message>The server says ${code}</Message></Error>`);
}

function listing(objects: S3Server["objects"], query: URLSearchParams, pageSize: number): string {
  const prefix = query.get("prefix") ?? "";
  const after = Buffer.from(query.get("continuation-token") ?? "", "hex").toString();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, Math.min(pageSize, Number(query.get("max-keys") ?? pageSize)));
  const encoded = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+");
  const contents = page.map((key) => {
    const { content, storage = "STANDARD" } = objects.get(key) ?? { content: "" };
    return `<Contents><Key>${encoded(key)}</Key><Size>${Buffer.byteLength(content)}</Size><ETag>${etagOf(content)}</ETag><StorageClass>${storage}</StorageClass></Contents>`;
  });
  const isCut = page.length < keys.length;
  const token = isCut ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? "").toString("hex")}</NextContinuationToken>` : "";
  return `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isCut}</IsTruncated>${token}${contents.join("")}</ListBucketResult>`;
}

function answerObject(request: IncomingMessage, response: ServerResponse, object: StoredObject | undefined): void {
  if (object === undefined) return answerError(response, 404, "NoSuchKey");
  const { "if-match": wanted, range } = request.headers;
  if (wanted !== undefined && wanted !== etagOf(object.content)) return answerError(response, 412, "PreconditionFailed");
  const bytes = Buffer.from(object.content);
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const part = start === undefined ? bytes : bytes.subarray(Number(start), end === "" ? undefined : Number(end) + 1);
  response.writeHead(start === undefined ? 200 : 206, { "content-length": part.length, etag: etagOf(object.content) }).end(part);
}

function etagOf(content: string): string {
  return `"${createHash("md5").update(content).digest("hex")}"`;
}
