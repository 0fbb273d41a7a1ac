import { describe, expect, it } from "vitest";
import type { Message } from "../../src/ports/model.ts";
import { addInstructions, readConversation } from "../../src/run/conversation.ts";

const say = (role: Message["role"], content: string): Message => ({ role, content });

describe("readConversation", () => {
  it("takes the last message as the question and the others apart", () => {
    expect(readConversation([say("system", "s"), say("user", "a"), say("assistant", "b"), say("system", "t"), say("user", "q")])).toEqual({
      question: "q",
      system: [say("system", "s"), say("system", "t")],
      history: [say("user", "a"), say("assistant", "b")],
    });
  });

  it("goes on with a question after calls of tools", () => {
    const call = { role: "assistant", content: "", toolCalls: [{ id: "c", name: "look", arguments: "{}" }] } as const;
    const result = { role: "tool", content: "r", toolCallId: "c" } as const;
    expect(readConversation([say("user", "a"), say("assistant", "b"), say("user", "q"), call, result])).toEqual({ question: "q", system: [], history: [say("user", "a"), say("assistant", "b")], after: [call, result] });
  });

  it.each([
    [[], "messages is empty; at least one user message is needed"],
    [[say("user", "q"), say("assistant", "a")], "The last message has the role assistant; it must be the user's question, or the result of a tool"],
    [[say("user", "\n")], "The last message is empty; it must hold the user's question"],
  ])("refuses %j", (messages, message) => {
    expect(() => readConversation(messages)).toThrow(message);
  });
});

describe("addInstructions", () => {
  const conversation = { question: "q", system: [say("system", "Also.")], history: [] };
  const texts = (messages: readonly Message[]): readonly string[] => messages.map(({ content }) => content);

  it.each([
    [[say("system", "Rules."), say("user", "Question")], ["Rules.", "Also.", "Question"]],
    [[say("system", "Rules.")], ["Rules.", "Also."]],
    [[say("user", "Question")], ["Also.", "Question"]],
    [[say("system", "Rules."), say("user", "Example"), say("system", "Late."), say("user", "Question")], ["Rules.", "Also.", "Example", "Late.", "Question"]],
  ])("puts the caller's instructions behind the prompt's own in %j", (prompt, joined) => {
    expect(texts(addInstructions(prompt, conversation))).toEqual(joined);
  });
});
