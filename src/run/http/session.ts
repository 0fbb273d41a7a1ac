import type { FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { Message } from "../../ports/model.ts";
import type { SessionKey } from "../../ports/session.ts";
import type { Caller } from "./api.ts";

interface Named {
  readonly session?: string | null | undefined;
  readonly user?: string | null | undefined;
}

/** The session that a request goes on with: named in its body, or in a header for clients whose bodies are fixed. */
export function sessionOf({ headers, caller }: FastifyRequest, { session, user }: Named): SessionKey | undefined {
  const header = headers["x-session-id"];
  const named = session ?? (typeof header === "string" && header !== "" ? header : undefined);
  if (named === undefined) return undefined;
  if (typeof header === "string" && header !== "" && header !== named) throw new TwelveError("REQUEST_INVALID", `The body names the session ${named}, and the header X-Session-Id the session ${header}; give one of them`);
  return sessionKey(caller, named, user);
}

/** Users of one API key never meet those of another: the name of the key ends at the first slash, since it holds none itself. */
export function sessionKey({ key }: Caller, session: string, user: string | null | undefined): SessionKey {
  return { user: `${encodeURIComponent(key ?? "")}/${user ?? ""}`, session };
}

/** A session has the earlier turns already: sent once more, they would stand there twice. */
export function requireNewTurn(messages: readonly Message[]): void {
  const spoken = messages.filter(({ role }) => role !== "system");
  const isQuestion = spoken.length === 1 && spoken[0]?.role === "user" && messages.at(-1) === spoken[0];
  if (isQuestion || (spoken.length > 0 && spoken.every(({ role }) => role === "tool"))) return;
  throw new TwelveError("REQUEST_INVALID", "With a session, a request holds the new turn alone: one message of the user, which system messages may stand before, or the results of tools. The session has the earlier messages already");
}
