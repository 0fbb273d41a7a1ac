import { expect, it } from "vitest";
import type { FinishReason, Ignorable, Model } from "../../src/ports/model.ts";
import { ask, itCan } from "./model-ask.ts";
import { describeModelFailures } from "./model-failure.contract.ts";
import { describeTools } from "./model-tool.contract.ts";
import { type Capability, type ScriptedUpstream, scriptedId, scriptedUsage } from "./model-upstream.ts";

/** One red dot. */
const png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/** Of models behind a protocol. */
export function describeProtocol(upstream: ScriptedUpstream, open: () => Promise<Model>): void {
  const can = (capability: Capability, sentence: string, test: () => Promise<void>): void => itCan(upstream, capability, sentence, test);

  it("gives the text as it comes, whatever signs it holds", async () => {
    const pieces = ["Größe: ", "1 MiB\n\n", "data: {\"x\": 1}\n", "😀 done"];
    upstream.script({ says: pieces });
    const { text, chunks } = await ask(await open());
    expect(text).toBe(pieces.join(""));
    const count = chunks.filter(({ type }) => type === "text").length;
    expect(upstream.lacks?.pieces === undefined ? count > 1 : count === 1).toBe(true);
  });

  can("usage", "gives the tokens as the provider counts them", async () => {
    upstream.script({ says: ["Yes."] });
    const { end } = await ask(await open());
    const expected = upstream.lacks?.cachedTokens === undefined ? scriptedUsage : { ...scriptedUsage, cachedInputTokens: 0 };
    expect(end).toMatchObject({ usage: expected });
    expect(end?.isUsageEstimated ?? false).toBe(false);
  });

  can("responseId", "gives the provider's ID of the answer", async () => {
    upstream.script({ says: ["Yes."] });
    expect((await ask(await open())).end).toMatchObject({ responseId: scriptedId });
  });

  for (const finish of ["stop", "length", "content_filter"] as const satisfies readonly FinishReason[]) {
    can(finish, `says that an answer ended for ${finish}`, async () => {
      upstream.script({ says: ["Yes."], finish });
      const { text, end } = await ask(await open());
      expect([text, end?.finishReason]).toEqual(["Yes.", finish]);
    });
  }

  can("reasoning", "gives reasoning apart from the text", async () => {
    upstream.script({ reasons: "Let me see.", says: ["Yes."] });
    const { text, reasoning } = await ask(await open());
    expect([text, reasoning]).toEqual(["Yes.", "Let me see."]);
  });

  it("sends system messages, and every other in its order", async () => {
    upstream.script({ says: ["Yes."] });
    await ask(await open(), { messages: [{ role: "system", content: "Be kind." }, { role: "user", content: "Hello?" }, { role: "assistant", content: "Hello." }, { role: "user", content: "Größe 😀?" }] });
    const messages = upstream.received()[0]?.messages ?? [];
    expect(messages.filter(({ role }) => role === "system").map(({ content }) => content).join("\n")).toBe("Be kind.");
    expect(messages.filter(({ role }) => role !== "system").map(({ role, content }) => [role, content])).toEqual([["user", "Hello?"], ["assistant", "Hello."], ["user", "Größe 😀?"]]);
  });

  can("sampling", "sends what the request says about sampling, and nothing of what it ignores", async () => {
    upstream.script({ says: ["Yes."] });
    const model = await open();
    await ask(model, { temperature: 0.5, topP: 0.9, maxTokens: 40, stop: ["END"] });
    const { temperature, topP, maxTokens, stop } = upstream.received()[0] ?? {};
    const unless = (name: Ignorable, value: number): number | undefined => (model.ignores?.includes(name) === true ? undefined : value);
    expect({ temperature, topP, maxTokens, stop }).toEqual({ temperature: unless("temperature", 0.5), topP: unless("topP", 0.9), maxTokens: 40, stop: ["END"] });
  });

  can("images", "sends an image beside the text", async () => {
    upstream.script({ says: ["A dot."] });
    await ask(await open(), { messages: [{ role: "user", content: "What is this?", images: [{ url: png }] }] });
    expect(upstream.received()[0]?.messages).toMatchObject([{ role: "user", content: "What is this?", images: [{ url: png }] }]);
  });

  describeTools(upstream, open, can);
  describeModelFailures(upstream, open, can);
}
