import { describe, expect, it } from "vitest";
import type { Declared } from "../../../src/run/choose-plan.ts";
import { needsParent, typesToRun } from "../../../src/run/pool/type-plan.ts";

const agents = { support: {} };
const web = { serve: ["support"], scale: { min: 2, max: 6, inFlight: 50 } };
const several: Declared = { agents, processes: { worker: { work: ["index"], scale: { min: 1, max: 3, depth: 8 } }, web, ranker: { rerank: "transformers:models/r" }, clock: { command: "sh clock.sh", scale: { min: 2 } } } };
const nothing = { process: undefined, concurrency: undefined, port: 3000 };

describe("typesToRun", () => {
  it("starts every type as it is declared; the first that serves has the port, the others follow by name", () => {
    expect(typesToRun(several, nothing)).toEqual([
      { name: "web", kind: "serve", port: 3000, scale: { min: 2, max: 6, perProcess: 50 } },
      { name: "clock", kind: "command", port: 3100, scale: { min: 2, max: 2, perProcess: undefined } },
      { name: "ranker", kind: "rerank", port: 3200, scale: { min: 1, max: 1, perProcess: undefined } },
      { name: "worker", kind: "work", port: 3300, scale: { min: 1, max: 3, perProcess: 8 } },
    ]);
  });

  it("starts one process of the type that is named, whatever its scale: an orchestrator scales it", () => {
    expect(typesToRun(several, { ...nothing, process: "web" })).toEqual([{ name: "web", kind: "serve", port: 3000, scale: { min: 1, max: 1, perProcess: undefined } }]);
  });

  it("starts as many processes of a server as are asked for; a worker does more at a time instead", () => {
    const fixed = { min: 4, max: 4, perProcess: undefined };
    expect(typesToRun(several, { ...nothing, process: "web", concurrency: 4 })).toMatchObject([{ scale: fixed }]);
    expect(typesToRun(several, { ...nothing, process: "ranker", concurrency: 4 })).toMatchObject([{ scale: fixed }]);
    expect(typesToRun({ agents, processes: { web } }, { ...nothing, concurrency: 4 })).toMatchObject([{ name: "web", scale: fixed }]);
    expect(typesToRun(several, { ...nothing, process: "worker", concurrency: 4 })).toMatchObject([{ scale: { min: 1, max: 1 } }]);
  });

  it("serves all agents of a release that declares no type", () => {
    expect(typesToRun({ agents, processes: {} }, nothing)).toEqual([{ name: "web", kind: "serve", port: 3000, scale: { min: 1, max: 1, perProcess: undefined } }]);
  });

  it("leaves the choice of ports open where any will do", () => {
    expect(typesToRun(several, { ...nothing, port: 0 }).map(({ port }) => port)).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ["a number of processes of several types", { ...nothing, concurrency: 2 }, "Name one: `twelve run web --concurrency 2`, or declare `scale:` for each in twelve.yaml"],
    ["a number of processes of a program", { ...nothing, process: "clock", concurrency: 2 }, "Declare `scale: { min: ... }` for it in twelve.yaml, and start all types with `twelve run`"],
    ["ports above the last one", { ...nothing, port: 65_400 }, "Choose a lower port with `--port` or PORT"],
  ])("refuses %s", (_, asked, fix) => {
    expect(() => typesToRun(several, asked)).toThrow(expect.objectContaining({ code: "USAGE_INVALID", fix }));
  });
});

it("takes a parent for several types, and for several processes of one, but not for one process", () => {
  const only = (scale: object): boolean => needsParent(typesToRun({ agents, processes: { web: { serve: ["support"], ...scale } } }, nothing));
  expect([needsParent(typesToRun(several, nothing)), only({}), only({ scale: { min: 1 } }), only({ scale: { min: 2 } }), only({ scale: { min: 1, max: 2, inFlight: 1 } })]).toEqual([true, false, false, true, true]);
});
