import { describe, expect, it } from "vitest";
import { readReference } from "../../../../src/adapters/model/anthropic/reference.ts";
import { messageBody } from "../../../../src/adapters/model/anthropic/request.ts";
import type { ModelRequest } from "../../../../src/ports/model.ts";
import { request } from "../../../ports/model-ask.ts";

const tools = [{ name: "f", parameters: { type: "object" } }];
const bodyOf = (change: Partial<ModelRequest>, options = ""): ReturnType<typeof messageBody> => messageBody({ ...request, ...change }, readReference(`anthropic:claude-sonnet-5${options}`, {}));

describe("a request to Anthropic", () => {
  it.each([
    [undefined, { type: "auto", disable_parallel_tool_use: true }],
    ["auto", { type: "auto", disable_parallel_tool_use: true }],
    ["required", { type: "any", disable_parallel_tool_use: true }],
    [{ name: "f" }, { type: "tool", name: "f", disable_parallel_tool_use: true }],
    ["none", { type: "none" }],
  ] as const)("asks for one call at a time with the tool choice %j", (toolChoice, expected) => {
    expect(bodyOf({ tools, isSingleCall: true, ...(toolChoice === undefined ? {} : { toolChoice }) })).toMatchObject({ tool_choice: expected });
  });

  it("says nothing of calls without tools", () => {
    expect(bodyOf({ isSingleCall: true })).toMatchObject({ tools: undefined, tool_choice: undefined });
    expect(bodyOf({ tools })).toMatchObject({ tool_choice: undefined });
  });

  it("has the effort of the request before that of the reference, and refuses one that the API has no word for", () => {
    expect(bodyOf({ effort: "low" }, "?effort=high")).toMatchObject({ output_config: { effort: "low" } });
    expect(bodyOf({}, "?effort=high")).toMatchObject({ output_config: { effort: "high" } });
    expect(() => bodyOf({ effort: "minimal" })).toThrow("anthropic:claude-sonnet-5 cannot be told a reasoning effort of minimal");
  });

  it("writes who of several users speaks before the words, and no name before an answer", () => {
    const messages = [{ role: "user", name: "Ann", content: "Hello" }, { role: "assistant", name: "bot", content: "Hello!" }, { role: "user", content: "And?" }] as const;
    expect(bodyOf({ messages })).toMatchObject({ messages: [{ content: [{ text: "Ann: Hello" }] }, { content: [{ text: "Hello!" }] }, { content: [{ text: "And?" }] }] });
  });
});
