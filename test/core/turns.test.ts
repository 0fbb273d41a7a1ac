import { describe, expect, it } from "vitest";
import { openTurns } from "../../src/core/turns.ts";

describe("openTurns", () => {
  it("does so many pieces of work at once, and the others in their order", async () => {
    const turns = openTurns(2);
    const works = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
    const begun: number[] = [];
    const done = works.map(({ promise }, number) => turns(() => {
      begun.push(number);
      return promise;
    }));
    expect(begun).toEqual([0, 1]);
    works[1]?.resolve(11);
    await expect(done[1]).resolves.toBe(11);
    expect(begun).toEqual([0, 1, 2]);
    for (const [number, work] of works.entries()) work.resolve(number);
    await expect(Promise.all(done)).resolves.toEqual([0, 11, 2, 3]);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it("gives the turn of work that failed to the next", async () => {
    const turns = openTurns(1);
    const failed = turns(() => Promise.reject(new Error("no")));
    const next = turns(() => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    await expect(next).resolves.toBe("yes");
  });
});
