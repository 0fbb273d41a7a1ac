import type { Attachment } from "../config/activated.ts";
import { TwelveError } from "../core/errors.ts";
import type { AgentSettings, Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import { type AnswerRecords, openAnswerRecords } from "./answer-record.ts";
import type { Release } from "../release/schema.ts";
import type { AnswerPart, AnswerRequest } from "./schema.ts";
import { type ConversationOptions, type Conversations, openConversations } from "./session/conversations.ts";
import type { LateTurn } from "./session/late-turn.ts";
import { withWindow } from "./session/window-plan.ts";
import { type StateService, stateService } from "./state/service.ts";

export interface KeptOptions {
  readonly release: Pick<Release, "app" | "agents">;
  readonly manifest: Manifest;
  readonly environment: string | null;
  readonly attachments: Readonly<Record<string, Attachment>>;
  readonly secrets: Environment;
  /** Those that are served. */
  readonly agents: readonly string[];
  readonly pace?: ConversationOptions["pace"];
}

/** What outlives the processes of a release: conversations, and answers to requests that may be sent again. */
export interface Kept {
  readonly service: StateService;
  /** Whether an agent that is served keeps conversations. */
  readonly hasConversations: boolean;
  readonly conversations: Conversations;
  readonly answers: AnswerRecords;
  /** Answers a request, as the next turn of its session where it names one. Fails with REQUEST_INVALID where the agent keeps none. */
  answer(request: AnswerRequest, answer: (request: AnswerRequest) => AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart>;
  /** Keeps the turn of a run that outlived its request. Fails as the state service does. */
  keepLate(turn: LateTurn): Promise<void>;
}

export function openKept(context: Pick<Context, "clock" | "env" | "openConfig" | "openSessions" | "story">, { release, manifest, environment, attachments, secrets, agents, pace }: KeptOptions): Kept {
  const { clock } = context;
  const service = stateService(context, { manifest, environment, attachments, secrets });
  const place = { app: release.app, environment: environment ?? "", open: () => service.open(), clock };
  const conversations = openConversations({ ...place, ...(pace === undefined ? {} : { pace }) });
  const sessionOf = (agent: string): AgentSettings["session"] => release.agents[agent]?.session ?? false;
  return {
    service,
    hasConversations: agents.some((agent) => sessionOf(agent) !== false),
    conversations,
    answers: openAnswerRecords({ ...place, keepHours: manifest.server.idempotencyHours }),
    answer(request, answer) {
      const { session, agent } = request;
      if (session === undefined) return answer(request);
      const settings = sessionOf(agent);
      if (settings === false) throw noSessions(agent);
      return conversations.answer({ ...request, session }, withWindow(settings, release.agents[agent]?.contextTokens), answer);
    },
    keepLate: (turn) => conversations.keepLate(turn, sessionOf(turn.agent)),
  };
}

function noSessions(agent: string): TwelveError {
  return new TwelveError("REQUEST_INVALID", `The agent ${agent} keeps no conversations, and the request names a session. Leave the session out, or declare \`session: true\` under agents.${agent} in twelve.yaml and release again`);
}
