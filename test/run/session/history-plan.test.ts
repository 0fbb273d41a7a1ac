import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import type { KeptTurn } from "../../../src/run/session/entry.ts";
import { continueConversation } from "../../../src/run/session/history-plan.ts";

const user = (content: string): Message => ({ role: "user", content });
const says = (content: string): Message => ({ role: "assistant", content });
const calls = (...ids: readonly string[]): Message => ({ role: "assistant", content: "", toolCalls: ids.map((id) => ({ id, name: "look_up", arguments: "{}" })) });
const result = (toolCallId: string, content = "found"): Message => ({ role: "tool", content, toolCallId });

let turns = 0;
const turn = (messages: readonly Message[], outcome: KeptTurn["outcome"] = "answered"): KeptTurn => ({ id: `t-${turns++}`, at: "2026-11-24T10:00:00.000Z", agent: "support", outcome, messages, citations: [] });
const all = 1_000_000;
const ofRun = (run: string, of: KeptTurn): KeptTurn => ({ ...of, run });

describe("what the model is given of a conversation", () => {
  it("is every turn with the new one behind it, and its instructions", () => {
    const instruction: Message = { role: "system", content: "Be kind." };
    expect(continueConversation([turn([user("a"), says("b")]), turn([user("c"), says("d")])], [instruction, user("e")], all)).toEqual([instruction, user("a"), says("b"), user("c"), says("d"), user("e")]);
  });

  it("has a question whose answer came later once, there", () => {
    const kept = [ofRun("r", turn([user("pay"), user("order 7")], "waiting")), turn([user("meanwhile"), says("yes?")]), ofRun("r", turn([user("pay"), user("order 7"), says("paid")])), ofRun("other", turn([user("pay more")], "waiting"))];
    expect(continueConversation(kept, [user("new")], all).map(({ content }) => content)).toEqual(["meanwhile", "yes?", "pay", "order 7", "paid", "pay more", "new"]);
  });

  it.each([
    [9, ["one two three four", "five", "six seven", "eight", "new"]],
    [8, ["one two three four", "five", "six seven", "eight", "new"]],
    [7, ["six seven", "eight", "new"]],
    [3, ["six seven", "eight", "new"]],
    [2, ["new"]],
  ])("is as many whole turns as fit into %i tokens, the newest of them", (budget, expected) => {
    const kept = [turn([user("one two three four"), says("five")]), turn([user("six seven"), says("eight")])];
    expect(continueConversation(kept, [user("new")], budget).map(({ content }) => content)).toEqual(expected);
  });

  it("leaves out every turn before one that does not fit, so that nothing is missing in between", () => {
    const kept = [turn([user("a"), says("b")]), turn([user("long ".repeat(50)), says("c")]), turn([user("d"), says("e")])];
    expect(continueConversation(kept, [user("new")], 20).map(({ content }) => content)).toEqual(["d", "e", "new"]);
  });

  it("never has a call without its result: both go with their question", () => {
    const kept = [turn([user("one two three"), calls("c-1")]), turn([result("c-1"), says("four")]), turn([user("five"), says("six")])];
    expect(continueConversation(kept, [user("new")], all)).toEqual([...kept.flatMap(({ messages }) => messages), user("new")]);
    expect(continueConversation(kept, [user("new")], 6)).toEqual([user("five"), says("six"), user("new")]);
  });

  it("has the question that results belong to, whatever the budget", () => {
    const kept = [turn([user("a"), says("b")]), turn([user("order 7?"), calls("c-1", "c-2")])];
    expect(continueConversation(kept, [result("c-1"), result("c-2")], 1)).toEqual([user("order 7?"), calls("c-1", "c-2"), result("c-1"), result("c-2")]);
  });

  it("leaves out calls that never got their results", () => {
    const spoken: Message = { ...calls("c-3"), content: "Let me look." };
    expect(continueConversation([turn([user("a"), calls("c-1", "c-2")]), turn([user("b"), spoken])], [user("c")], all)).toEqual([user("a"), user("b"), says("Let me look."), user("c")]);
  });

  it.each([
    ["a result that nobody asked for", [result("c-9")], 'The result of the tool call "c-9" answers no call of the conversation\'s last turn: c-1, c-2'],
    ["half of the results", [result("c-1")], 'The tool call "c-2" has no result; all results of a turn are sent together'],
    ["results behind a question", [user("x"), result("c-1"), result("c-2")], "answers no call"],
    ["an assistant's message", [user("x"), says("y"), user("z")], "messages holds an assistant's message"],
    ["nothing", [{ role: "system", content: "x" }] as const, "messages has no user message"],
  ])("is refused for %s", (_, messages, message) => {
    expect(() => continueConversation([turn([user("a"), calls("c-1", "c-2")])], messages, all)).toThrow(message);
  });

  it("has questions without an answer, but not those that were refused", () => {
    expect(continueConversation([turn([user("a")], "lost"), turn([user("b")], "left"), turn([user("c")], "failed"), turn([user("d")], "refused")], [user("e")], all)).toEqual(["a", "b", "c", "e"].map(user));
  });

  it("has a question once that was asked again because no answer came", () => {
    expect(continueConversation([turn([user("a")], "failed"), turn([user("a")], "lost"), turn([user("a"), says("b")])], [user("a")], all)).toEqual([user("a"), says("b"), user("a")]);
    const images = [{ url: "data:image/png;base64,AAAA" }];
    expect(continueConversation([turn([user("a")], "failed")], [{ ...user("a"), images }], all)).toHaveLength(2);
  });

  it("has the results that came last where an answer to earlier ones failed", () => {
    const kept = [turn([user("a"), calls("c-1")]), turn([result("c-1", "old")], "failed")];
    expect(continueConversation(kept, [result("c-1", "new")], all)).toEqual([user("a"), calls("c-1"), result("c-1", "new")]);
    expect(continueConversation([...kept, turn([result("c-1", "new"), says("b")])], [user("c")], all)).toEqual([user("a"), calls("c-1"), result("c-1", "new"), says("b"), user("c")]);
    // The question went on without them.
    expect(continueConversation(kept, [user("c")], all)).toEqual([user("a"), calls("c-1"), result("c-1", "old"), user("c")]);
  });

  it("counts an image as much as a page of text", () => {
    const kept = [turn([{ ...user("a"), images: [{ url: "https://example.org/a.png" }] }, says("b")])];
    expect(continueConversation(kept, [user("c")], 1001)).toHaveLength(1);
    expect(continueConversation(kept, [user("c")], 1002)).toHaveLength(3);
  });
});
