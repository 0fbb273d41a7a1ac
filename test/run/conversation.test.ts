import { describe, expect, it } from "vitest";
import type { Message } from "../../src/ports/model.ts";
import { joinConversation, readConversation } from "../../src/run/conversation.ts";

const say = (role: Message["role"], content: string): Message => ({ role, content });
const prompt = [say("system", "Rules."), say("user", "Rendered question")];

describe("readConversation", () => {
  it("takes the last message as the question and the others apart", () => {
    expect(readConversation([say("system", "s"), say("user", "a"), say("assistant", "b"), say("system", "t"), say("user", "q")])).toEqual({
      question: "q",
      system: [say("system", "s"), say("system", "t")],
      history: [say("user", "a"), say("assistant", "b")],
    });
  });

  it.each([
    [[], "messages is empty; at least one user message is needed"],
    [[say("user", "q"), say("assistant", "a")], "The last message has the role assistant; it must be the user's question"],
    [[say("user", "\n")], "The last message is empty; it must hold the user's question"],
  ])("refuses %j", (messages, message) => {
    expect(() => readConversation(messages)).toThrow(message);
  });
});

describe("joinConversation", () => {
  const conversation = { question: "q", system: [say("system", "Also.")], history: [say("user", "a"), say("assistant", "b")] };
  const texts = (messages: readonly Message[]): readonly string[] => messages.map(({ content }) => content);

  it("puts the caller's instructions after the prompt's and earlier turns before the last user message", () => {
    expect(texts(joinConversation(prompt, conversation, false))).toEqual(["Rules.", "Also.", "a", "b", "Rendered question"]);
  });

  it("leaves earlier turns out where the template has placed them", () => {
    expect(texts(joinConversation(prompt, conversation, true))).toEqual(["Rules.", "Also.", "Rendered question"]);
  });

  it("works for prompts of one kind of message", () => {
    expect(texts(joinConversation([say("system", "x")], conversation, false))).toEqual(["x", "Also.", "a", "b"]);
    expect(texts(joinConversation([say("user", "x")], conversation, false))).toEqual(["Also.", "a", "b", "x"]);
  });
});
