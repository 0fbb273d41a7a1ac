import { describe, expect, it } from "vitest";
import { announceParagraphs } from "../../../src/run/page/announcer.ts";
import { callsIn, type RunTold, stepsOf, textIn } from "../../../src/run/page/calls.ts";
import { changesBetween } from "../../../src/run/page/changes.ts";
import { difference, dollars, milliseconds, score } from "../../../src/run/page/format.ts";
import { messagesFor } from "../../../src/run/page/history.ts";
import { splitMarks } from "../../../src/run/page/marks.ts";

const isSource = (number: number): boolean => number <= 3;

describe("citations in an answer", () => {
  it.each([
    ["It is so. [1]", ["It is so. ", 1]],
    ["Both [1, 3] and [2;3].", ["Both ", 1, 3, " and ", 2, 3, "."]],
    ["[9] and [1, 9] name nothing", ["[9] and [1, 9] name nothing"]],
    ["a [1](https://example.com) link and [1]: a reference", ["a [1](https://example.com) link and [1]: a reference"]],
    ["", []],
  ])("of %j are %j", (text, pieces) => {
    expect(splitMarks(text, isSource)).toEqual(pieces);
  });
});

describe("figures", () => {
  it("says what is not known, instead of 0", () => {
    expect([dollars(null), milliseconds(null), dollars(0)]).toEqual(["unknown", "unknown", "$0"]);
    expect(difference(null, 3, milliseconds)).toBe("");
  });

  it.each([[0.0000123, "$0.000012"], [0.00042, "$0.00042"], [0.0123, "$0.0123"], [2, "$2.0000"]])("writes %d dollars as %s", (value, text) => {
    expect(dollars(value)).toBe(text);
  });

  it.each([[0.4, "0.4 ms"], [9.96, "10 ms"], [812.4, "812 ms"], [999.7, "1.00 s"], [1234, "1.23 s"], [61_500, "61.5 s"]])("writes %d milliseconds as %s", (value, text) => {
    expect(milliseconds(value)).toBe(text);
  });

  it("keeps three digits of a score, and gives differences their sign", () => {
    expect([0.016_034, 3.5, 12.345, 1234].map(score)).toEqual(["0.0160", "3.50", "12.3", "1234"]);
    expect([difference(5, 3, String), difference(3, 5, String), difference(3, 3, String)]).toEqual(["+2", "−2", "same"]);
  });
});

describe("the conversation that a release is told", () => {
  const past = [
    { agent: "support", question: "one", answers: new Map([[2, "two says"], [1, "one says"]]) },
    { agent: "chat", question: "of another agent", answers: new Map([[2, "no"]]) },
    { agent: "support", question: "failed", answers: new Map() },
    { agent: "support", question: "alone", answers: new Map([[2, "only two says"]]) },
  ];

  it("has its own answers, else those that stood in their place", () => {
    expect(messagesFor(past, { agent: "support", release: 1, question: "now" }).map(({ content }) => content)).toEqual(["one", "one says", "alone", "only two says", "now"]);
    expect(messagesFor(past, { agent: "support", release: 2, question: "now" }).map(({ content }) => content)).toEqual(["one", "two says", "alone", "only two says", "now"]);
  });
});

describe("what a screen reader is told of an answer", () => {
  it("comes by the paragraph, without markup and with its sources", () => {
    const told: string[] = [];
    const announcer = announceParagraphs((text) => told.push(text), isSource);
    for (const piece of ["# Lim", "its\nThe **body** may", " be `1 MiB`. [1]\n", "\n- one\n", "- two [9]"]) announcer.text(piece);
    expect(told).toEqual(["Limits The body may be 1 MiB. source 1"]);
    announcer.rest();
    announcer.rest();
    expect(told.slice(1)).toEqual(["one two [9]"]);
  });
});

describe("what two releases have otherwise", () => {
  const first = [{ group: "agent support", name: "model", value: "a" }, { group: "agent chat", name: "model", value: "a" }, { group: "build", name: "digest", value: "1" }, { group: "configuration", name: "NEW", value: "on" }];
  const second = [{ group: "agent support", name: "model", value: "b" }, { group: "agent chat", name: "model", value: "b" }, { group: "build", name: "digest", value: "1" }, { group: "index docs", name: "digest", value: "2" }];

  it("names each setting with both values, apart from those of other agents", () => {
    expect(changesBetween(first, second, "support")).toEqual([
      { group: "agent support", name: "model", first: "a", second: "b" },
      { group: "configuration", name: "NEW", first: "on", second: "none" },
      { group: "index docs", name: "digest", first: "none", second: "2" },
    ]);
    expect(changesBetween(first, first, "support")).toEqual([]);
  });
});

describe("the calls of a run", () => {
  const at = "2026-11-25T12:00:00.000Z";
  const refund = { step: 1, call_id: "call_1_1", tool: "refund", arguments: '{"eur":5}' };
  const finished = { ...refund, type: "tool_call_finished", at, result: "paid", is_error: false, outcome_unknown: false, latency_ms: 12 };
  const asked: RunTold = { ...refund, type: "approval_requested", at };
  const decided = (approve: boolean): RunTold => ({ type: "approval_decided", at, call_id: "call_1_1", approve, reason: null, by: null });
  const started: RunTold = { ...refund, type: "tool_call_started", at, attempt: 1 };

  it.each<[string, readonly RunTold[], string]>([
    ["running", [started], "running"],
    ["done", [started, finished], "done"],
    ["failed", [started, { ...finished, is_error: true }], "failed"],
    ["of unknown outcome", [started, { ...finished, is_error: true, outcome_unknown: true }], "outcome unknown"],
    ["waiting", [asked], "waits for approval"],
    ["approved", [asked, decided(true)], "approved"],
    ["done after approval", [asked, decided(true), started, finished], "done"],
    ["refused", [asked, decided(false), started, { ...finished, is_error: true }], "refused"],
  ])("say that one is %s", (_, told, state) => {
    expect(callsIn(stepsOf(told))).toMatchObject([{ id: "call_1_1", tool: "refund", given: '{"eur":5}', state }]);
  });

  it("stand between what the model said", () => {
    const said = (step: number, text: string): RunTold => ({ type: "model_call_finished", at, step, text });
    expect(textIn(stepsOf([said(1, "I look."), started, finished, said(2, ""), said(3, "Paid.")]))).toBe("I look.\n\nPaid.");
  });
});
