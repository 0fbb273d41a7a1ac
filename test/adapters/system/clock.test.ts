import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";

describe("systemClock.randomHex", () => {
  it("gives as many bytes as asked for, never the same ones twice", () => {
    const drawn = Array.from({ length: 2000 }, () => systemClock.randomHex(8));
    expect(drawn.every((hex) => /^[0-9a-f]{16}$/.test(hex))).toBe(true);
    expect(new Set(drawn).size).toBe(2000);
    expect(systemClock.randomHex(5000)).toMatch(/^[0-9a-f]{10000}$/);
  });
});
