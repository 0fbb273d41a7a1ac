import { expect, it } from "vitest";
import { restMs } from "../../../src/adapters/runs/dbos/later.ts";

it("lets a run rest longer each time, and gives it up after an hour", () => {
  expect([0, 1, 2, 20].map((tries) => restMs({ tries, sinceMs: 0, firstMs: 8000 }))).toEqual([8000, 16_000, 32_000, 300_000]);
  expect(restMs({ tries: 3, sinceMs: 3_599_999, firstMs: 8000 })).toBe(64_000);
  expect(restMs({ tries: 3, sinceMs: 3_600_000, firstMs: 8000 })).toBeUndefined();
});
