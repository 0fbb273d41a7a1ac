import { describe, expect, it } from "vitest";
import { isOver } from "../../../src/run/state/claim.ts";

const held = { id: "c", heldAtMs: 100_000 };
const seen = (ageMs: number, watchedMs: number) => isOver(held, { nowMs: held.heldAtMs + ageMs, watchedMs });

describe("a claim", () => {
  it.each([
    ["counts for its lease", 7900, 7900, false],
    ["is over when nothing was heard of it for its lease", -3_600_000, 8000, true],
    ["is watched before it is over by the clock alone, since another machine's may be ahead", 8000, 3900, false],
    ["is over when it ran out and was watched for longer than a renewal takes", 8000, 4000, true],
    ["is over at once when no difference of clocks explains its age", 32_000, 0, true],
  ])("%s", (_, ageMs, watchedMs, expected) => expect(seen(ageMs, watchedMs)).toBe(expected));
});
