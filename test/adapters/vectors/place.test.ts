import { describe, expect, it } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";

describe("the place of a vector service", () => {
  it.each([
    ["postgres://user:hunter2@host/vectors?index=hnsw&sslmode=require&timeoutMs=500", "postgres://host/vectors?sslmode=require"],
    ["postgres://user:hunter2@host/vectors?timeoutMs=500", "postgres://host/vectors"],
    ["opensearch://user:hunter2@host:9200?index=hnsw", "opensearch://host:9200"],
    ["opensearch://host?aws=es&timeoutMs=500&region=eu-central-1", "opensearch://host?aws=es&region=eu-central-1"],
    ["pinecone://docs?text=words&timeoutMs=500&waitMs=1000", "pinecone://docs?text=words"],
  ])("of %s is %s, however it is used", async (reference, url) => {
    const service = await openVectorService(reference, { dir: "/", env: { PINECONE_API_KEY: "pk" } });
    expect(service.url).toBe(url);
    await service.close();
  });
});
