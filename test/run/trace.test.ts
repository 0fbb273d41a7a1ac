import { describe, expect, it } from "vitest";
import { traceOf, traceParent } from "../../src/run/trace.ts";
import { fixedClock } from "../helpers/context.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const counting = () => {
  const clock = fixedClock();
  return (sizeBytes: number) => clock.randomHex(sizeBytes);
};
const given = `00-${traceId}-00f067aa0ba902b7-01`;

describe("traceOf", () => {
  it("goes on with the caller's trace under a span of its own", () => {
    const trace = traceOf(given, counting());
    expect(trace).toEqual({ traceId, spanId: "0000000000000001", flags: "01" });
    expect(traceParent(trace)).toBe(`00-${traceId}-0000000000000001-01`);
  });

  it("takes a later version with more fields", () => {
    expect(traceOf(`cc-${traceId}-00f067aa0ba902b7-00-what-comes`, counting())).toMatchObject({ traceId, flags: "00" });
  });

  it.each([
    ["no header", undefined],
    ["an empty header", ""],
    ["a trace of zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
    ["a parent of zeros", `00-${traceId}-${"0".repeat(16)}-01`],
    ["version ff", `ff-${traceId}-00f067aa0ba902b7-01`],
    ["version 00 with more fields", `${given}-x`],
    ["capital letters", given.toUpperCase()],
    ["a short trace", "00-4bf92f-00f067aa0ba902b7-01"],
    ["something else", "hello"],
  ])("begins a new trace for %s", (_what, header) => {
    expect(traceOf(header, counting())).toEqual({ traceId: `${"0".repeat(31)}2`, spanId: "0000000000000001", flags: "01" });
  });
});
