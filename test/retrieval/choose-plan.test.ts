import { describe, expect, it } from "vitest";
import { chooseSearch, type Searchable } from "../../src/retrieval/choose-plan.ts";

const searchable: Searchable = {
  place: "release v3",
  indexes: ["docs", "news", "spare"],
  agents: [
    { name: "support", retrieve: { index: "docs" } },
    { name: "chat", retrieve: undefined },
    { name: "press", retrieve: { index: "news" } },
  ],
};
const choose = (index?: string, agent?: string, changes: Partial<Searchable> = {}) => chooseSearch({ ...searchable, ...changes }, { index, agent });

describe("chooseSearch", () => {
  it("takes the settings of the agent that searches the index", () => {
    expect(choose("docs")).toEqual({ index: "docs", agent: "support" });
    expect(choose("spare")).toEqual({ index: "spare", agent: null });
  });

  it("takes the index of the agent", () => {
    expect(choose(undefined, "press")).toEqual({ index: "news", agent: "press" });
  });

  it("takes the only index that agents search, or the only one there is", () => {
    expect(choose(undefined, undefined, { agents: searchable.agents.slice(0, 2) })).toEqual({ index: "docs", agent: "support" });
    expect(choose(undefined, undefined, { indexes: ["docs"], agents: [] })).toEqual({ index: "docs", agent: null });
  });

  it("takes any of several agents that search in the same way, and asks where they differ", () => {
    const twin = { name: "twin", retrieve: { index: "docs" } };
    expect(choose("docs", undefined, { agents: [...searchable.agents, twin] })).toEqual({ index: "docs", agent: "support" });
    const other = { name: "other", retrieve: { index: "docs", topK: 9 } };
    expect(() => choose("docs", undefined, { agents: [...searchable.agents, other] })).toThrow("The agents support, other of release v3 search the index docs in different ways");
  });

  it.each([
    ["an index that is misspelt", "dosc", undefined, "INDEX_UNKNOWN", /There is no index "dosc" in release v3\. Did you mean "docs"\? There are: docs, news, spare/],
    ["an agent that is misspelt", undefined, "suport", "AGENT_UNKNOWN", /Did you mean "support"\? Agents that search: support, press/],
    ["an agent that searches nothing", undefined, "chat", "USAGE_INVALID", /The agent chat of release v3 searches no index/],
    ["an agent of another index", "docs", "press", "USAGE_INVALID", /The agent press searches the index news, not docs/],
    ["no index where there are several", undefined, undefined, "USAGE_INVALID", /release v3 has 3 indexes: docs, news, spare/],
  ])("refuses %s", (_, index, agent, code, message) => {
    expect(() => choose(index, agent)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it("says how to declare an index where there is none", () => {
    expect(() => choose(undefined, undefined, { indexes: [], agents: [] })).toThrow(expect.objectContaining({ code: "INDEX_UNKNOWN", fix: expect.stringContaining("indexes:") }));
  });
});
