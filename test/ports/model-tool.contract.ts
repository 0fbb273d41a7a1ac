import { expect } from "vitest";
import type { Model, Tool, ToolCall } from "../../src/ports/model.ts";
import { ask, type Can, request } from "./model-ask.ts";
import type { ScriptedUpstream } from "./model-upstream.ts";

const tool: Tool = { name: "look_up", description: "Looks something up", parameters: { type: "object", properties: { what: { type: "string" } }, required: ["what"], additionalProperties: false } };
const other: Tool = { name: "count-things", parameters: { type: "object", properties: {} } };
const tools = [tool, other];
const call: ToolCall = { id: "call_1", name: "look_up", arguments: '{"what":"the \\"größte\\" body"}' };

export function describeTools(upstream: ScriptedUpstream, open: () => Promise<Model>, can: Can): void {
  can("tools", "calls a tool, takes its result, and answers", async () => {
    upstream.script({ says: ["Let me look."], callsTools: [call] }, { says: ["One mebibyte."] });
    const model = await open();
    const asked = await ask(model, { tools });
    expect([asked.text, asked.end?.finishReason]).toEqual(["Let me look.", "tool_calls"]);
    expect(asked.calls.map(readable)).toEqual([readable(call)]);
    const answered = await ask(model, { tools, messages: [...request.messages, { role: "assistant", content: asked.text, toolCalls: asked.calls }, { role: "tool", content: "1 MiB", toolCallId: call.id }] });
    expect([answered.text, answered.end?.finishReason]).toEqual(["One mebibyte.", "stop"]);
    const [first, second] = upstream.received();
    expect(first?.tools).toMatchObject(tools.map(({ name, parameters }) => ({ name, parameters })));
    const sent = second?.messages.filter(({ role }) => role !== "system") ?? [];
    expect(sent.map(({ role, content, toolCallId }) => [role, content, toolCallId])).toEqual([["user", request.messages[1]?.content, undefined], ["assistant", "Let me look.", undefined], ["tool", "1 MiB", call.id]]);
    expect(sent[1]?.toolCalls?.map(readable)).toEqual([readable(call)]);
  });

  can("tools", "gives several calls of one turn, each whole, and sends their results under their IDs", async () => {
    const calls: readonly ToolCall[] = [call, { id: "call_2", name: "count-things", arguments: "{}" }];
    upstream.script({ callsTools: calls }, { says: ["Done."] });
    const model = await open();
    const asked = await ask(model, { tools });
    expect(asked.calls.map(readable)).toEqual(calls.map(readable));
    expect(asked.end?.finishReason).toBe("tool_calls");
    await ask(model, { tools, messages: [...request.messages, { role: "assistant", content: "", toolCalls: asked.calls }, { role: "tool", content: "1 MiB", toolCallId: "call_1" }, { role: "tool", content: "7", toolCallId: "call_2" }] });
    const results = upstream.received()[1]?.messages.filter(({ role }) => role === "tool") ?? [];
    expect(results.map(({ content, toolCallId }) => [toolCallId, content])).toEqual([["call_1", "1 MiB"], ["call_2", "7"]]);
  });

  can("tools", "gives the calls in pieces where they are wanted so, each before its whole", async () => {
    const calls: readonly ToolCall[] = [call, { id: "call_2", name: "count-things", arguments: '{"of":7}' }];
    upstream.script({ says: ["Let me look."], callsTools: calls }, { callsTools: calls });
    const model = await open();
    const chunks = await Array.fromAsync(model.generate({ ...request, tools, isCallStreamed: true }));
    const parts = chunks.filter((chunk) => chunk.type === "call_part");
    for (const [position, { id, name }] of calls.entries()) {
      const own = parts.filter((part) => part.position === position);
      expect(own.map(({ begun }) => begun)).toEqual([{ id, name }, ...own.slice(1).map(() => undefined)]);
      expect(readable({ id, name, arguments: own.map((part) => part.arguments).join("") })).toEqual(readable(calls[position] ?? call));
    }
    expect(chunks.findIndex(({ type }) => type === "call_part")).toBeLessThan(chunks.findIndex(({ type }) => type === "tool_call"));
    const whole = await Array.fromAsync(model.generate({ ...request, tools }));
    expect(whole.map(({ type }) => type)).not.toContain("call_part");
  });

  can("toolErrors", "sends a tool's failure as one", async () => {
    upstream.script({ says: ["Sorry."] });
    await ask(await open(), { tools, messages: [...request.messages, { role: "assistant", content: "", toolCalls: [call] }, { role: "tool", content: "no such thing", toolCallId: call.id, isError: true }] });
    expect(upstream.received()[0]?.messages.at(-1)).toMatchObject({ role: "tool", content: expect.stringContaining("no such thing"), toolCallId: call.id, isError: true });
  });

  for (const toolChoice of ["auto", "none", "required", { name: "look_up" }] as const) {
    can("toolChoice", `asks for the tool choice ${JSON.stringify(toolChoice)}`, async () => {
      upstream.script({ says: ["Yes."] });
      await ask(await open(), { tools, toolChoice });
      const [received] = upstream.received();
      // A protocol without the word "none" leaves the tools out, and "auto" is what every provider does unasked.
      const expected = toolChoice === "none" && received?.tools === undefined ? "auto" : toolChoice;
      expect(received?.toolChoice ?? "auto").toEqual(expected);
    });
  }
}

/** Providers send arguments as JSON values, too, so their text may be written another way. */
function readable(given: ToolCall): unknown {
  return { ...given, arguments: JSON.parse(given.arguments) as unknown };
}
