import { describe, expect, it } from "vitest";
import { readBase } from "../../../src/adapters/http/service.ts";

const own = "https://api.cohere.com";
const asked = { reference: "cohere:rerank-v3.5", own };

describe("a provider's address", () => {
  it.each([[undefined, own], ["  ", own], [" http://gateway.example/v2/\n", "http://gateway.example/v2/"]])("is for %j %s", (value, base) => {
    expect(readBase({ COHERE_BASE_URL: value }, "COHERE_BASE_URL", asked)).toBe(base);
  });

  it.each(["gateway.example", "ftp://gateway.example", "http://", "https://a b"])("is never %s", (value) => {
    const reading = (): string => readBase({ COHERE_BASE_URL: value }, "COHERE_BASE_URL", asked);
    expect(reading).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED", message: "cohere:rerank-v3.5 cannot be reached: COHERE_BASE_URL is not an http(s) URL", fix: `Set COHERE_BASE_URL to a URL such as ${own}, or unset it` }));
  });
});
