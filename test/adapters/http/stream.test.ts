import { createServer, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { requestStream, type StreamPart, type StreamRequest } from "../../../src/adapters/http/stream.ts";
import { listening } from "../../helpers/listen.ts";

const service = { name: "service:model", keyName: "SERVICE_KEY", key: "sk-0123456789abcdef" };
const eventStream = { "content-type": "text/event-stream" };

interface Upstream {
  readonly url: string;
  readonly ports: readonly number[];
  /** Resolves with each answer whose connection closes before its end. */
  readonly closed: Promise<void>;
}

async function started(answer: (response: ServerResponse) => unknown): Promise<Upstream> {
  const ports: number[] = [];
  const closing = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    ports.push(request.socket.remotePort ?? 0);
    response.once("close", () => response.writableEnded || closing.resolve());
    request.resume().once("end", () => answer(response));
  });
  return { ports, closed: closing.promise, url: `http://127.0.0.1:${await listening(server)}/stream` };
}

function streaming(url: string, change: Partial<StreamRequest> = {}): AsyncGenerator<StreamPart> {
  return requestStream({ service, url, body: { question: "ü" }, isLast: ({ data }) => data === "[DONE]", ...change });
}

async function read(answer: (response: ServerResponse) => unknown, change: Partial<StreamRequest> = {}): Promise<readonly unknown[]> {
  const { url } = await started(answer);
  return (await Array.fromAsync(streaming(url, change))).slice(1).flatMap((part): readonly unknown[] => (part.type === "events" ? part.events.map(({ name, data }) => [name, data]) : [part]));
}

describe("requestStream", () => {
  const text = ": hello\n\nevent: start\ndata: {\"text\":\"Größe 😀\"}\n\n: keep-alive\n\ndata: two\ndata: lines\n\nid: 7\nretry: 100\ndata: last\n\n";
  const events = [["start", '{"text":"Größe 😀"}'], [undefined, "two\nlines"], [undefined, "last"]];

  it.each([["\n", 1], ["\n", 3], ["\n", 1000], ["\r\n", 1], ["\r\n", 5], ["\r", 2], ["\r", 1000]])("reads events whose lines end in %j, in pieces of %i bytes", async (lineEnd, size) => {
    const bytes = Buffer.from(text.replaceAll("\n", lineEnd));
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
    const found = await read(async (response) => {
      response.writeHead(200, eventStream);
      for (const part of parts) await new Promise<void>((resolve) => response.write(part, () => resolve()));
      response.end();
    });
    expect(found).toEqual(events);
  });

  it("begins with the headers, and sends what it was given", async () => {
    const { url } = await started((response) => response.writeHead(200, { ...eventStream, "x-request-id": "r-1" }).end());
    expect(await Array.fromAsync(streaming(url))).toMatchObject([{ type: "begin", headers: { "x-request-id": "r-1" } }]);
  });

  it("gives the one value of a server that does not stream", async () => {
    expect(await read((response) => response.writeHead(200, { "content-type": "application/json" }).end('{"done":true}'))).toEqual([{ type: "whole", value: { done: true } }]);
  });

  it("uses a connection again, though the body ends after the last event", async () => {
    const open: ServerResponse[] = [];
    const { url, ports } = await started((response) => {
      open.push(response);
      response.writeHead(200, eventStream).write("data: one\n\ndata: [DONE]\n\n");
    });
    for (let i = 0; i < 6; i++) {
      expect(await Array.fromAsync(streaming(url))).toHaveLength(2);
      await new Promise<void>((resolve) => open[i]?.end(() => resolve()));
    }
    // One may still be winding up when the next request begins.
    expect(new Set(ports).size).toBeLessThan(6);
  });

  it("does not wait for a body that goes on after the last event", async () => {
    const { url, closed } = await started((response) => response.writeHead(200, eventStream).write("data: [DONE]\n\n"));
    expect(await Array.fromAsync(streaming(url))).toHaveLength(2);
    await closed;
  });

  it.each([
    ["before the first byte", (response: ServerResponse) => void response],
    ["between two bytes", (response: ServerResponse) => void response.writeHead(200, eventStream).write("data: one\n\n")],
  ])("gives up on a service that is silent %s, and closes the connection", async (_, answer) => {
    const { url, closed } = await started(answer);
    await expect(Array.fromAsync(streaming(url, { timeoutMs: 60 }))).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: "service:model was silent for 60 ms", retry: { afterMs: null }, fix: expect.stringContaining("timeoutMs") });
    await closed;
  });

  it("closes the connection when the reader leaves", async () => {
    const { url, closed } = await started((response) => response.writeHead(200, eventStream).write("data: one\n\n"));
    for await (const part of streaming(url)) {
      if (part.type === "events") break;
    }
    await expect(closed).resolves.toBeUndefined();
  });

  it("closes the connection when the reader aborts, and ends with its reason", async () => {
    const { url, closed } = await started((response) => response.writeHead(200, eventStream).write("data: one\n\n"));
    const controller = new AbortController();
    const reason = new Error("enough");
    const reading = (async () => {
      for await (const part of streaming(url, { signal: controller.signal })) {
        if (part.type === "events") controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    await closed;
  });

  it("says that the answer was cut, and gives what came before", async () => {
    const { url } = await started((response) => {
      response.writeHead(200, eventStream).write("data: one\n\ndata: tw");
      setTimeout(() => response.destroy(), 20);
    });
    const parts: StreamPart[] = [];
    const reading = (async () => {
      for await (const part of streaming(url)) parts.push(part);
    })();
    await expect(reading).rejects.toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
    expect(parts.slice(1)).toEqual([{ type: "events", events: [{ name: undefined, data: "one" }] }]);
  });

  it.each([
    ["a page", { "content-type": "text/html" }, "<html>Welcome</html>"],
    ["text", { "content-type": "text/plain" }, "Welcome"],
    ["JSON that is none", { "content-type": "application/json" }, "{"],
  ])("does not take %s for a stream", async (_, headers, body) => {
    await expect(read((response) => response.writeHead(200, headers).end(body))).rejects.toMatchObject({ code: "SERVICE_FAILED", retry: undefined });
  });

  it("understands a refusal as requestJson does", async () => {
    const refusing = read((response) => response.writeHead(429, { "retry-after": "3", "x-request-id": "r-1" }).end('{"error":{"message":"Slow down"}}'));
    await expect(refusing).rejects.toMatchObject({ code: "SERVICE_LIMITED", message: "service:model answered 429: Slow down (request r-1)", retry: { afterMs: 3000 } });
  });
});
