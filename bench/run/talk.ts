/** A client that goes on with its conversations, whatever becomes of the processes. */
import { setTimeout as sleep } from "node:timers/promises";

interface Options {
  readonly client: number;
  readonly turns: number;
  /** Turns of one session. */
  readonly sessionTurns: number;
}

/** What a client was told. */
export interface Talk {
  readonly answered: readonly { readonly session: string; readonly question: string }[];
  /** Failures after which a client asks again without a doubt. */
  readonly clean: number;
  /** All others. */
  readonly unclean: readonly string[];
}

/** Each client waits twice as long each time, up to the longest: 50 that ask all the time would take the processor from those that start. */
const retryAfterMs = 50;
const longestRetryMs = 800;
/** Longer than the longest pause before a process is started again, for all of them. */
const patienceMs = 300_000;
/** Statuses of a process that says that it cannot, or cannot yet. */
const retryable: ReadonlySet<number> = new Set([409, 429, 503]);
/** What a connection comes to whose other end is killed. */
const cut: ReadonlySet<string> = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "UND_ERR_SOCKET"]);

/** Every other turn is streamed. */
export async function talkOn(url: string, { client, turns, sessionTurns }: Options): Promise<Talk> {
  const answered: { session: string; question: string }[] = [];
  const unclean: string[] = [];
  let clean = 0;
  for (let turn = 0; turn < turns; turn++) {
    const session = `client-${client}-${Math.floor(turn / sessionTurns)}`;
    const question = `question ${client}.${turn}`;
    const startMs = performance.now();
    for (let waitMs = retryAfterMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
      const failure = await ask(url, { session, question, isStream: turn % 2 === 1 });
      if (failure === undefined) {
        answered.push({ session, question });
        break;
      }
      if (failure.isClean) clean++;
      else unclean.push(failure.what);
      if (performance.now() - startMs > patienceMs) throw new Error(`${question} had no answer after ${patienceMs / 1000} s: ${failure.what}`);
      await sleep(waitMs);
    }
  }
  return { answered, clean, unclean };
}

interface Failure {
  readonly isClean: boolean;
  readonly what: string;
}

async function ask(url: string, { session, question, isStream }: { readonly session: string; readonly question: string; readonly isStream: boolean }): Promise<Failure | undefined> {
  let isBegun = false;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-session-id": session },
      body: JSON.stringify({ model: "talk", messages: [{ role: "user", content: question }], stream: isStream }),
    });
    isBegun = true;
    const text = await response.text();
    if (response.status !== 200) return { isClean: retryable.has(response.status) && codeIn(text) !== undefined, what: `${response.status} ${text}` };
    if (!isStream || text.endsWith("data: [DONE]\n\n")) return undefined;
    return { isClean: text.includes('"error":') || text === "", what: `a stream without an end or an error: ${text.slice(-300)}` };
  } catch (error) {
    const code = codeOf(error);
    return { isClean: cut.has(code), what: `${isBegun ? "within an answer" : "before an answer"}: ${code} ${String(error)}` };
  }
}

function codeIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly error?: { readonly code?: unknown } }).error?.code;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; { cause } = cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return "";
}

/** How many answered turns are not in their session, with an answer and in the order in which they were asked. */
export async function lostTurns(url: string, talks: readonly Talk[]): Promise<number> {
  let lost = 0;
  for (const [session, asked] of Map.groupBy(talks.flatMap((talk) => talk.answered), (turn) => turn.session)) {
    const kept = await readSession(url, session);
    let at = 0;
    for (const { question } of asked) {
      const found = kept.indexOf(question, at);
      if (found === -1) lost++;
      else at = found + 1;
    }
  }
  return lost;
}

/** The questions that have an answer. A process may be starting still. */
async function readSession(url: string, session: string): Promise<readonly string[]> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${url}/v1/sessions/${session}`).catch(() => undefined);
    if (response?.ok === true) {
      const { turns } = (await response.json()) as { readonly turns: readonly { readonly messages: readonly { readonly role: string; readonly content: string }[] }[] };
      return turns.flatMap(({ messages }) => (messages.some(({ role }) => role === "assistant") ? messages.filter(({ role }) => role === "user").map(({ content }) => content) : []));
    }
    if (attempt === 200) throw new Error(`The session ${session} cannot be read: ${response?.status}`);
    await sleep(retryAfterMs);
  }
}
