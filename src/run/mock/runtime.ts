import type { Clock } from "../../ports/clock.ts";
import type { Context } from "../../ports/context.ts";
import type { RunEngine } from "../../ports/runs.ts";
import { answerTurn } from "../agent/answer-turn.ts";
import { openAnswerRecords } from "../answer-record.ts";
import type { OpenedRuntime } from "../apply.ts";
import type { Kept } from "../kept.ts";
import { unknownAgent } from "../plan.ts";
import { openConversations } from "../session/conversations.ts";
import { openMockAgents } from "./agents.ts";
import { answerMocked } from "./answer.ts";
import type { MockAnswers } from "./answers.ts";
import { searchPassages } from "./search.ts";

/** What OpenAI's smaller embedding model gives. */
const usualDimensions = 1536;

interface Mocking {
  readonly answers: MockAnswers;
  /** Whom it answers for; undefined for every name. */
  readonly agents: readonly string[] | undefined;
  /** Of its runs. */
  readonly runs: { readonly engine: RunEngine; readonly clock: Clock };
}

/** Answers by a script, without a release. What is kept is kept for as long as the process lives. */
export async function openMockRuntime({ clock, story, openEmbedder, openSessions }: Pick<Context, "clock" | "story" | "openEmbedder" | "openSessions">, { answers, agents, runs }: Mocking): Promise<OpenedRuntime> {
  const store = await openSessions("memory:");
  const service = { open: () => Promise.resolve(store), close: () => store.close() };
  const place = { app: "mock", environment: "", open: () => service.open(), clock };
  const conversations = openConversations(place);
  const kept: Kept = {
    service,
    hasConversations: true,
    conversations,
    answers: openAnswerRecords({ ...place, keepHours: 24 }),
    answer: (request, answer) => (request.session === undefined ? answer(request) : conversations.answer({ ...request, session: request.session }, true, answer)),
    keepLate: (turn) => conversations.keepLate(turn, true),
  };
  const names = agents ?? (answers.agents.length > 0 ? answers.agents : ["mock"]);
  const { model, tools } = answers;
  const toolAgents = Object.keys(tools).length === 0 ? undefined : openMockAgents({ ...runs, names, tools, model, story, keepLate: (turn) => kept.keepLate(turn) });
  return {
    agents: names,
    toolAgents,
    indexes: [],
    answer(request) {
      if (agents?.includes(request.agent) === false) throw unknownAgent(request.agent, agents);
      if (toolAgents?.has(request.agent) === true && request.tools === undefined) return answerTurn(toolAgents, kept, request);
      return kept.answer(request, (turn) => answerMocked(turn, { model, clock }));
    },
    kept: () => kept,
    search: async (query) => searchPassages(answers.passages, query, await openEmbedder(`hash:${usualDimensions}`)),
    embed: async ({ texts, task, dimensions = usualDimensions, signal }) => (await openEmbedder(`hash:${dimensions}`)).embed(texts, task, signal),
    check: () => Promise.resolve([mockPart(answers)]),
    async close() {
      await toolAgents?.close();
      await service.close();
    },
  };
}

/** What readiness says of it. */
export function mockPart({ title }: Pick<MockAnswers, "title">): { readonly name: string; readonly isReady: true; readonly detail: string } {
  return { name: "mock", isReady: true, detail: `no model is asked: the answers are ${title}` };
}
