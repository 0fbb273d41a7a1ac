import { expect, it } from "vitest";
import { openLookout, type Standing } from "../../../src/adapters/runs/dbos/lookout.ts";

const never = new AbortController().signal;

it("looks once for all who follow, and tells each when its run has news", async () => {
  const standings = new Map<string, Standing>([["a", { position: 3, isOver: false }], ["b", { position: 1, isOver: false }], ["c", { position: 5, isOver: true }]]);
  const reads: (readonly string[])[] = [];
  let looked = Promise.withResolvers<void>();
  const look = openLookout((runs) => {
    reads.push(runs);
    looked.resolve();
    return Promise.resolve(standings);
  }, 1);
  const told: string[] = [];
  const follow = async (run: string, position: number): Promise<void> => look(run, position, never).then(() => void told.push(run));
  const [later, ...soon] = [follow("b", 1), ...Array.from({ length: 50 }, () => follow("a", 2)), follow("c", 5), follow("gone", 0)];
  await Promise.all(soon);
  expect(reads).toEqual([["b", "a", "c", "gone"]]);
  expect(new Set(told)).toEqual(new Set(["a", "c", "gone"]));
  looked = Promise.withResolvers<void>();
  await looked.promise;
  expect(reads.at(-1)).toEqual(["b"]);
  standings.set("b", { position: 2, isOver: false });
  await later;
  // Nobody follows, and nobody looks, until somebody does again.
  const count = reads.length;
  await look("c", 0, never);
  expect(reads.length).toBe(count + 1);
});

it("lets go of who leaves, and tells all that it cannot look", async () => {
  const look = openLookout(() => Promise.reject(new Error("the database is away")), 1);
  const leaving = new AbortController();
  const left = look("a", 0, leaving.signal);
  leaving.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  await expect(Promise.all([look("a", 0, never), look("b", 0, never)])).rejects.toThrow("the database is away");
});
