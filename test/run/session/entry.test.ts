import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import type { SessionEntry } from "../../../src/ports/session.ts";
import { answerDrafts, questionDrafts, turnsIn } from "../../../src/run/session/entry.ts";
import type { Draft } from "../../../src/run/state/claim.ts";
import { keptAnswer } from "./fixture.ts";

const at = "2026-11-24T10:00:00.000Z";
const entry = (draft: Draft, id: string, step: string, number = 0): SessionEntry => ({ ...draft, at, data: { ...draft.data, claim: { id, step, number } } });
const empty: Draft = { role: "system", content: "" };

describe("the entries of a session", () => {
  it("give every message back as it was said, with calls, results and images", () => {
    const question: Message = { role: "user", name: "Ann", content: "What is this?", images: [{ url: "data:image/png;base64,AAAA", detail: "low" }] };
    const results: readonly Message[] = [{ role: "tool", content: "", toolCallId: "c-1" }, { role: "tool", content: "gone", toolCallId: "c-2", isError: true }];
    const toolCalls = [{ id: "c-1", name: "look_up", arguments: "{}" }, { id: "c-2", name: "look_up", arguments: "not JSON" }];
    const drafts = [...questionDrafts([{ role: "system", content: "x" }, question], "support").map((draft) => entry(draft, "a", "begun")), ...answerDrafts(keptAnswer("", { toolCalls }), "support").map((draft) => entry(draft, "a", "ended", 1)), ...questionDrafts(results, "support").map((draft, number) => entry(draft, "b", "begun", number))];
    expect(turnsIn(JSON.parse(JSON.stringify(drafts)) as SessionEntry[])).toEqual([
      { id: "a", at, agent: "support", outcome: "answered", messages: [question, { role: "assistant", content: "", toolCalls }], citations: [] },
      { id: "b", at, agent: "support", outcome: "running", messages: results, citations: [] },
    ]);
  });

  it("hold what an agent did with its tools before it answered", () => {
    const steps: readonly Message[] = [{ role: "assistant", content: "I look.", toolCalls: [{ id: "c", name: "look_up", arguments: "{}" }] }, { role: "tool", content: "gone", toolCallId: "c", isError: true }];
    const made: readonly Message[] = [...steps, { role: "assistant", content: "It is gone." }];
    const told = (answer: Parameters<typeof answerDrafts>[0]): readonly Message[] | undefined => turnsIn([entry({ role: "user", content: "Where?" }, "a", "begun"), ...answerDrafts(answer, "support").map((draft, number) => entry(draft, "a", "ended", number + 1))])[0]?.messages.slice(1);
    expect(told({ ...keptAnswer("I look.\n\nIt is gone."), made })).toEqual(made);
    expect(told({ ...keptAnswer("I look."), made: steps })).toEqual([...steps, { role: "assistant", content: "I look." }]);
  });

  it("say nothing where they only prolong a claim, and tell a turn whose process died", () => {
    const [first = empty, second = empty] = questionDrafts([{ role: "user", content: "one" }, { role: "user", content: "two" }], "support");
    const turns = turnsIn([entry(first, "a", "begun"), entry(empty, "a", "held", 1), entry(second, "b", "begun"), entry(empty, "b", "held", 1), entry({ ...empty, data: { outcome: "left" } }, "b", "ended", 2)]);
    expect(turns.map(({ outcome, messages }) => [outcome, messages.length])).toEqual([["lost", 1], ["left", 1]]);
  });

  it("are read as far as they can be understood", () => {
    const odd = { role: "user", content: "hello", data: { agent: 7, images: "none", outcome: "unheard-of" } } as const;
    expect(turnsIn([{ role: "user", content: "of another program", at }, { role: "user", content: "too", at, data: [1] }, entry(odd, "a", "begun"), entry({ ...odd, role: "assistant" }, "a", "ended", 1)])).toEqual([
      { id: "a", at, agent: null, outcome: "failed", messages: [{ role: "user", content: "hello" }, { role: "assistant", content: "hello" }], citations: [] },
    ]);
  });
});
