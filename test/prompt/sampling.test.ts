import { expect, it } from "vitest";
import { ignoredSampling } from "../../src/prompt/sampling.ts";

it("names what is set and not taken, once for each model", () => {
  const candidate = { reference: "anthropic:claude-5", model: { ignores: ["temperature", "topP", "seed"] } } as const;
  expect(ignoredSampling("support", { temperature: 0, topP: 0.9, maxTokens: 5 }, candidate)).toBe("Agent support: anthropic:claude-5 takes no temperature and no topP; temperature 0 and topP 0.9 are left out when it is asked");
  expect(ignoredSampling("support", { maxTokens: 5 }, candidate)).toBeUndefined();
  expect(ignoredSampling("support", { temperature: 0 }, { reference: "openai:x", model: {} })).toBeUndefined();
});
