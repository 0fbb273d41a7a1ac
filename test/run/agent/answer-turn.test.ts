import { expect, it, onTestFinished } from "vitest";
import { openMemoryRuns } from "../../../src/adapters/runs/memory/adapter.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { answerTurn } from "../../../src/run/agent/answer-turn.ts";
import type { AnswerPart, AnswerRequest } from "../../../src/run/schema.ts";
import { keeping } from "../fixture.ts";
import { fakeAgents, fakeTool, replies } from "./fixture.ts";

const session = { user: "/ada", session: "s-1" } as const;
const user = (content: string) => ({ role: "user", content }) as const;
const request: AnswerRequest = { agent: "support", messages: [user("Where is order 7?")], variables: {}, isStream: false, traceId: "4bf92f3577b34da6a3ce929d0e0e4736", session };

function opened(script: Parameters<typeof fakeAgents>[0], { needsApproval = false } = {}) {
  const kept = keeping({ clock: systemClock });
  const agents = fakeAgents(script, { tools: [fakeTool("look_up", () => "found", { needsApproval })], keepLate: (turn) => kept.keepLate(turn), durable: { engine: openMemoryRuns(), kind: "k", works: true, concurrency: 4 } });
  onTestFinished(() => agents.close());
  const answer = async (change: Partial<AnswerRequest>): Promise<string> => {
    const parts: readonly AnswerPart[] = await Array.fromAsync(answerTurn(agents, kept, { ...request, ...change }));
    const last = parts.at(-1);
    return last?.type === "end" ? last.answer.text : "";
  };
  const turns = async () => (await kept.conversations.read(session)).turns.map(({ outcome, messages }) => [outcome, ...messages.map(({ content }) => content)]);
  return { agents, answer, turns };
}

it("keeps a turn once, however often its request is sent with its key", async () => {
  const { answer, turns } = opened(replies({ call: [["look_up", "{}"]] }, "On its way."));
  expect(await answer({ runId: "run_1" })).toBe("On its way.");
  // The process died before it could note the answer under the key.
  expect(await answer({ runId: "run_1" })).toBe("On its way.");
  expect(await turns()).toEqual([["answered", "Where is order 7?", "", "found", "On its way."]]);
  await answer({ runId: "run_2" });
  expect(await turns()).toHaveLength(2);
});

it("keeps all that was said in a turn which ends later, and asks the model about it once", async () => {
  const { agents, answer, turns } = opened(replies({ call: [["look_up", "{}"]] }, "Paid.", "You are welcome."), { needsApproval: true });
  let run = "";
  const messages = [user("Pay me back."), user("It is order 7.")];
  await expect(answer({ messages, onRun: (id) => void (run = id) })).rejects.toMatchObject({ code: "APPROVAL_NEEDED" });
  const owner = { agent: "support", key: null };
  await agents.runs?.decide(owner, run, { callId: "call_1_1", approve: true, reason: null, by: null });
  await expect.poll(async () => (await agents.runs?.read(owner, run))?.status).toBe("completed");
  expect(await turns()).toEqual([["waiting", "Pay me back.", "It is order 7."], ["answered", "Pay me back.", "It is order 7.", "", "found", "Paid."]]);
  await answer({ messages: [user("Thanks")] });
  expect(agents.asked.at(-1)?.messages.map(({ content }) => content)).toEqual(["Pay me back.", "It is order 7.", "", "found", "Paid.", "Thanks"]);
});
