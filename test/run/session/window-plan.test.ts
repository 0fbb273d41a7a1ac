import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/ports/model.ts";
import { fitToWindow, withWindow } from "../../../src/run/session/window-plan.ts";

const words = (count: number): string => Array.from({ length: count }, () => "word").join(" ");
const user = (content: string): Message => ({ role: "user", content });
const says = (content: string): Message => ({ role: "assistant", content });
const history = [user(words(100)), says(words(100)), user(words(90)), says(words(10)), user("a"), says("b")];
const system: Message = { role: "system", content: words(50) };
const question = user(words(50));
const messages = [system, ...history, question];
const room = { maxTokens: 100, tools: undefined };

describe("what of a conversation fits into a window", () => {
  it.each([
    // 85% of it, less 100 for the answer and 100 for prompt and question.
    [592, messages],
    [590, [system, ...history.slice(2), question]],
    [356, [system, ...history.slice(2), question]],
    [353, [system, ...history.slice(4), question]],
    [240, [system, ...history.slice(4), question]],
    [230, [system, question]],
    [10, [system, question]],
  ])("are the newest whole turns: %i tokens", (contextTokens, expected) => {
    expect(fitToWindow(messages, history, { ...room, contextTokens })).toEqual(expected);
  });

  it("is less where the answer may be longer, where tools are described and where something was retrieved", () => {
    const fitted = (change: object, given = messages): number => fitToWindow(given, history, { ...room, contextTokens: 592, ...change }).length;
    expect(fitted({})).toBe(8);
    expect(fitted({ maxTokens: 110 })).toBe(6);
    expect(fitted({ tools: [{ name: "look_up", parameters: { type: "object" } }] })).toBe(6);
    expect(fitted({}, [{ ...system, content: words(60) }, ...history, question])).toBe(6);
  });

  it("leaves a quarter of a small window to an answer that nobody limits, and 4096 tokens of a large one", () => {
    const fitted = (contextTokens: number): number => fitToWindow(messages, history, { contextTokens, maxTokens: undefined, tools: undefined }).length;
    expect([fitted(671), fitted(669)]).toEqual([8, 6]);
    const long = [user(words(12_000)), says("b")];
    const kept = (contextTokens: number): number => fitToWindow([...long, question], long, { contextTokens, maxTokens: undefined, tools: undefined }).length;
    expect([kept(18_998), kept(18_990)]).toEqual([3, 1]);
  });

  it("never has a call without its result, nor a result without its call", () => {
    const turn: readonly Message[] = [user("order 7?"), { role: "assistant", content: "", toolCalls: [{ id: "c", name: "look_up", arguments: "{}" }] }, { role: "tool", toolCallId: "c", content: words(100) }, says("b")];
    expect(fitToWindow([...turn, question], turn, { ...room, contextTokens: 300 })).toEqual([question]);
    expect(fitToWindow([...turn, question], turn, { ...room, contextTokens: 400 })).toEqual([...turn, question]);
  });

  it("keeps what the request itself says, however much that is", () => {
    const results: readonly Message[] = [question, { role: "assistant", content: "", toolCalls: [{ id: "c", name: "f", arguments: "{}" }] }, { role: "tool", toolCallId: "c", content: words(1000) }];
    expect(fitToWindow([...history, ...results], history, { ...room, contextTokens: 500 })).toEqual(results);
  });
});

describe("how much of a conversation is read", () => {
  it("is what a window could hold at most, and no more than the agent allows", () => {
    expect(withWindow(true, undefined)).toBe(true);
    expect(withWindow({ keepDays: 3 }, undefined)).toEqual({ keepDays: 3 });
    expect(withWindow(true, 10_000)).toEqual({ historyTokens: 8500 });
    expect(withWindow({ historyTokens: 500, keepDays: 3 }, 10_000)).toEqual({ historyTokens: 500, keepDays: 3 });
    expect(withWindow({ historyTokens: 50_000 }, 10_000)).toEqual({ historyTokens: 8500 });
    expect(withWindow(false, 10_000)).toBe(false);
  });
});
