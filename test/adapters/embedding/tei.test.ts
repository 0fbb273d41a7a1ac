import { describe, expect, it, onTestFinished } from "vitest";
import { openEmbedder } from "../../../src/adapters/registry.ts";
import type { Embedder } from "../../../src/ports/embedding.ts";
import type { ServiceServer } from "../../helpers/service-server.ts";
import { startTeiServer, type TeiServerOptions } from "../../helpers/tei-server.ts";
import { describeEmbedder } from "../../ports/embedding.contract.ts";
import { describeFaults } from "./faults.ts";

const key = "hf_test0123456789abcdefghij";

async function started(options: TeiServerOptions = {}): Promise<ServiceServer> {
  const server = await startTeiServer(options);
  onTestFinished(() => server.close());
  return server;
}

function opened(url: string, env: Record<string, string> = {}): Promise<Embedder> {
  return openEmbedder(`tei+${url}`, { dir: "/", env });
}

describeEmbedder("text-embeddings-inference", async () => opened((await started()).url));
describeFaults("text-embeddings-inference", {
  key,
  start: () => startTeiServer({ key }),
  open: ({ url, key, timeoutMs }) => opened(`${url}?timeoutMs=${timeoutMs}`, { EMBEDDER_API_KEY: key }),
  refusal: (status) => ({ status, body: { error: `The server said ${status}`, error_type: status === 429 ? "Overloaded" : "Backend" } }),
  short: { body: [[1, 2, 3], [1, 2, 3]] },
});

describe("tei+http:", () => {
  it("lets the server describe itself: model, length, limits", async () => {
    const server = await started({ dimensions: 96, maxBatch: 8 });
    const embedder = await opened(server.url);
    expect(embedder.identity).toEqual({ provider: "tei", model: "BAAI/bge-small-en-v1.5@5c38ec7c405e", dimensions: 96, normalised: true, documentTask: null, queryTask: null });
    expect(embedder).toMatchObject({ maxBatch: 8, maxTextTokens: 512, usdPerMillionTokens: 0, fusionWeight: 1 });
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /info", "POST /embed"]);
  });

  it("asks for a prompt by name, one for documents and one for queries", async () => {
    const server = await started({ prompts: { passage: "passage: ", query: "query: " } });
    const embedder = await opened(`${server.url}/?documentPrompt=passage&queryPrompt=query`);
    const [asDocument] = await embedder.embed(["text"], "document");
    const [asQuery] = await embedder.embed(["text"], "query");
    expect(asDocument).not.toEqual(asQuery);
    expect(embedder.identity).toMatchObject({ documentTask: "passage", queryTask: "query" });
    expect(server.requests.slice(2).map(({ body }) => body)).toEqual(["passage", "query"].map((name) => ({ inputs: ["text"], truncate: true, normalize: true, prompt_name: name })));
    await expect(opened(`${server.url}?documentPrompt=other`)).rejects.toMatchObject({ code: "SERVICE_REJECTED", retry: undefined, message: expect.stringContaining("answered 422: `default_prompt_name=other` not found") });
  });

  it("gives shorter vectors where the reference asks for them", async () => {
    const server = await started();
    const embedder = await opened(`${server.url}?dimensions=16`);
    expect([embedder.identity.dimensions, (await embedder.embed(["text"], "document"))[0]?.length]).toEqual([16, 16]);
  });

  it("may be asked again when the model failed inside the server, but not with a batch that is too large", async () => {
    const server = await started({ maxBatch: 2 });
    const embedder = await opened(server.url);
    server.faults.push({ status: 424, body: { error: "CUDA out of memory", error_type: "Backend" } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining("CUDA out of memory") });
    await expect(embedder.embed(["a", "b", "c"], "document")).rejects.toMatchObject({ code: "SERVICE_REJECTED", retry: undefined, message: expect.stringContaining("413: batch size 3") });
  });

  it("refuses a server with another kind of model, or of another kind", async () => {
    const reranker = await started({ model: "reranker" });
    await expect(opened(reranker.url)).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("which is a reranker and gives no embeddings") });
    const other = await started();
    other.faults.push({ body: { hello: "world" } });
    await expect(opened(other.url)).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("does not describe itself") });
  });

  it.each(["tei+http:", "tei+http://", "tei+http://host:port", "tei+http://host#model", "tei+http://host?prompt=x", "tei+http://me:word@host"])("refuses %s", async (reference) => {
    await expect(openEmbedder(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.not.stringContaining("word") });
  });
});
