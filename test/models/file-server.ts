import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { modelCache } from "../../src/models/intact.ts";
import type { Files } from "./tiny-model.ts";

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Answers instead of the server and gives true, or leaves the request to it. */
export type Answer = (path: string, response: ServerResponse, request: IncomingMessage) => boolean;

export interface FileServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly requests: readonly Request[];
  /** What is served from now on. */
  files: Files;
  answer: Answer;
}

/** Files on loopback, with tags and ranges as web servers have them; gone when the test ends. */
export async function serveFiles(files: Files): Promise<FileServer> {
  const requests: Request[] = [];
  const state: { files: Files; answer: Answer } = { files, answer: () => false };
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").replace(/\?.*/, "").replace(/^\/+base\//, ""));
    requests.push({ path, range: request.headers.range, authorization: request.headers.authorization });
    if (!state.answer(path, response, request)) send(request, response, state.files[path]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { url: `http://127.0.0.1:${port}/base`, requests });
}

function send(request: IncomingMessage, response: ServerResponse, file: Uint8Array | string | undefined): void {
  if (file === undefined) return void response.writeHead(404).end("no such file");
  const content = Buffer.from(file);
  const etag = tagOf(content);
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  if (start === undefined || request.headers["if-range"] !== etag) return void response.writeHead(200, { etag, "content-length": content.length }).end(content);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, { etag, "content-range": range }).end(content.subarray(Number(start)));
}

export function tagOf(content: Uint8Array | string): string {
  return `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
}

/** Promises the whole file, gives its first bytes and drops the connection when `isReceived` says that they arrived. */
export function sendPart(response: ServerResponse, content: Uint8Array | string, { count, isReceived }: { readonly count: number; readonly isReceived: () => Promise<boolean> }): void {
  const bytes = Buffer.from(content);
  response.writeHead(200, { etag: tagOf(bytes), "content-length": bytes.length });
  response.write(bytes.subarray(0, count));
  void vi.waitUntil(isReceived, { timeout: 20_000, interval: 5 }).finally(() => response.destroy());
}

/** Whether so many bytes of a file of `models/tiny` are on disk, on their way to the model's folder. */
export async function isStaged(dir: string, path: string, count: number): Promise<boolean> {
  const found = await stat(join(modelCache(dir, "models/tiny"), "stage", path)).catch(() => undefined);
  return found?.size === count;
}
