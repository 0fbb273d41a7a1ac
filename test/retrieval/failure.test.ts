import { expect, it } from "vitest";
import { openEmbedder } from "../../src/adapters/registry.ts";
import { type FailureCode, TwelveError } from "../../src/core/errors.ts";
import { countFailures } from "../../src/retrieval/failure.ts";

it("counts the failures of a service, not those of the question or of whoever left", async () => {
  const counter = countFailures();
  const failing = async (failure: Error): Promise<void> => {
    const reranker = counter.reranker("reranker x", { name: "x", check: () => Promise.resolve({ version: null }), rerank: () => Promise.reject(failure) });
    await expect(reranker.rerank("question", ["text"])).rejects.toBe(failure);
  };
  for (const code of ["SERVICE_REJECTED", "SERVICE_FILTERED"] satisfies FailureCode[]) await failing(new TwelveError(code, "no"));
  await failing(new Error("left"));
  expect(counter.of("reranker x")).toBe(0);
  for (const code of ["SERVICE_UNAVAILABLE", "SERVICE_UNAUTHENTICATED", "SERVICE_LIMITED"] satisfies FailureCode[]) await failing(new TwelveError(code, "no"));
  expect([counter.of("reranker x"), counter.of("embedder y")]).toEqual([3, 0]);
});

it("gives what the service gives", async () => {
  const embedder = await openEmbedder("hash:8", { dir: "/", env: {} });
  const counted = countFailures().embedder("embedder y", embedder);
  expect(await counted.embed(["text"], "query")).toEqual(await embedder.embed(["text"], "query"));
  expect(counted.identity).toBe(embedder.identity);
});
