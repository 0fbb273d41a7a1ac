import { describe, expect, it } from "vitest";
import { planNeeds } from "../../src/services/plan.ts";

const agent = { model: "openai:gpt", session: false };
const place = { state: undefined, hasWorkers: false, store: "file:.twelve/store", configs: [] };

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
    const rolesOf = (session: boolean, hasWorkers: boolean) => planNeeds({ ...place, agents: { one: { ...agent, session } }, indexes, state, hasWorkers, configs: ["ssm:/a", "dotenv:.env"] }).map(({ role, reference }) => `${role} ${reference}`);
    const others = ["store file:.twelve/store", "config ssm:/a", "config dotenv:.env"];
    const before = ["model openai:gpt", "embedder hash:64", "vectors postgres://db/vectors"];
    expect(rolesOf(false, false)).toEqual([...before, ...others]);
    expect(rolesOf(true, false)).toEqual([...before, `sessions ${state}`, ...others]);
    expect(rolesOf(true, true)).toEqual([...before, `sessions ${state}`, `queue ${state}`, ...others]);
  });

  it("has the queue where agents have tools: their runs are kept there", () => {
    const needs = planNeeds({ ...place, agents: { one: { ...agent, tools: ["look-up"] } }, indexes: {}, state: "postgres://db/state" });
    expect(needs.map(({ role, reference }) => `${role} ${reference}`)).toContain("queue postgres://db/state");
  });
});
