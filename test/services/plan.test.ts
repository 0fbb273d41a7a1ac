import { describe, expect, it } from "vitest";
import { planNeeds } from "../../src/services/plan.ts";

const agent = { model: "openai:gpt", session: false };
const place = { state: undefined, processes: {}, store: "file:.twelve/store", configs: [] };

describe("planNeeds", () => {
  it("names each service once with all that it is for", () => {
    const needs = planNeeds({ ...place, agents: { one: agent, two: agent, other: { ...agent, model: "mock:echo" } }, indexes: { docs: { embedder: "hash:64" }, faq: { embedder: "hash:64" } } });
    expect(needs.map(({ role, reference, service }) => [role, reference, service])).toEqual([
      ["model", "openai:gpt", "model of agents one, two"],
      ["model", "mock:echo", "model of agent other"],
      ["embedder", "hash:64", "embedder of indexes docs, faq"],
      ["vectors", "lance:", "vectors of indexes docs, faq"],
      ["store", "file:.twelve/store", "store"],
    ]);
  });

  it("has the state only where sessions or workers need it, and the vectors where they were published", () => {
    const indexes = { docs: { embedder: "hash:64", vectors: "postgres://db/vectors" } };
    const state = "redis://cache";
    const rolesOf = (session: boolean, hasWorkers: boolean) => planNeeds({ ...place, agents: { one: { ...agent, session } }, indexes, state, ...(hasWorkers ? { processes: { worker: { work: ["index"] } } } : {}), configs: ["ssm:/a", "dotenv:.env"] }).map(({ role, reference }) => `${role} ${reference}`);
    const others = ["store file:.twelve/store", "config ssm:/a", "config dotenv:.env"];
    const before = ["model openai:gpt", "embedder hash:64", "vectors postgres://db/vectors"];
    expect(rolesOf(false, false)).toEqual([...before, ...others]);
    expect(rolesOf(true, false)).toEqual([...before, `sessions ${state}`, ...others]);
    expect(rolesOf(true, true)).toEqual([...before, `sessions ${state}`, `jobs ${state}`, ...others]);
  });

  it.each([
    ["agents have tools", { agents: { one: { ...agent, tools: ["look-up"] } }, processes: {} }],
    ["a process works on them", { agents: {}, processes: { worker: { work: ["runs"] } } }],
  ])("has the state of runs where %s, and no jobs", (_, given) => {
    const needs = planNeeds({ ...place, ...given, indexes: {}, state: "postgres://db/state" });
    expect(needs.filter(({ reference }) => reference === "postgres://db/state").map(({ role, service }) => [role, service])).toEqual([["runs", "state: runs of agents"]]);
  });
});
