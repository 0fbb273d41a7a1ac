import { createHash } from "node:crypto";
import { scrub } from "../core/scrub.ts";
import type { Facts } from "./facts.ts";
import type { Script, ScriptedAnswer, ScriptedReply, When } from "./schema.ts";

/** How many requests each reply has fitted so far, but for what counts them. */
export type Counts = Map<ScriptedReply, number>;

/** What the script says to a conversation. Undefined where no reply fits, or its sequence is at its end. */
export function findAnswer({ replies, seed }: Script, facts: Facts, counts: Counts): ScriptedAnswer | undefined {
  const at = replies.findIndex((reply, position) => fits(reply, facts, { counts, draw: (count) => drawn(`${seed}/${position}/${count}`) }));
  const reply = replies[at];
  return reply?.sequence === undefined ? reply : reply.sequence[facts.step - 1];
}

interface Counting {
  readonly counts: Counts;
  /** A number from 0 to 1, always the same for a count. */
  readonly draw: (count: number) => number;
}

function fits(reply: ScriptedReply, facts: Facts, { counts, draw }: Counting): boolean {
  const { when = {} } = reply;
  if (failedConditions(when, facts).length > 0) return false;
  const { call, every, share } = when;
  if (call === undefined && every === undefined && share === undefined) return true;
  const count = (counts.get(reply) ?? 0) + 1;
  counts.set(reply, count);
  return (call === undefined || call === count) && (every === undefined || count % every === 0) && (share === undefined || draw(count) < share);
}

const conditions: { readonly [Name in Exclude<keyof When, "call" | "every" | "share">]-?: (wanted: NonNullable<When[Name]>, facts: Facts) => boolean } = {
  agent: (wanted, { agent }) => agent !== undefined && [wanted].flat().includes(agent),
  // Recordings have no personal data: what they hold fits what was said all the same.
  equals: (wanted, { question }) => question === wanted || scrub(question) === wanted,
  contains: (wanted, { question }) => includes(question, wanted),
  matches: (wanted, { question }) => new RegExp(wanted, "iu").test(question),
  turn: (wanted, { turn }) => turn === wanted,
  tool: (wanted, { tool }) => tool === wanted,
  result: (wanted, { result }) => result !== undefined && (includes(result, wanted) || includes(scrub(result), wanted)),
  earlier: (wanted, { earlier }) => earlier === wanted,
};

/** What does not hold, each as the script has it. */
function failedConditions(when: When, facts: Facts): readonly string[] {
  return Object.entries(conditions).flatMap(([name, holds]) => {
    const wanted = when[name as keyof typeof conditions];
    return wanted === undefined || (holds as (wanted: unknown, facts: Facts) => boolean)(wanted, facts) ? [] : [`${name}: ${JSON.stringify(wanted)}`];
  });
}

const shownReplies = 3;

/** The replies that came nearest, with what kept them from fitting: for somebody who wonders why none did. */
export function nearestReplies({ replies }: Script, facts: Facts): readonly string[] {
  const tried = replies.map((reply, position) => ({ reply, position, failed: failedConditions(reply.when ?? {}, facts) }));
  const isSimilar = ({ when = {} }: ScriptedReply): boolean => (when.contains ?? when.equals)?.split(/\s+/).some((word) => word !== "" && includes(facts.question, word)) === true;
  const near = tried.toSorted((left, right) => left.failed.length - right.failed.length || Number(isSimilar(right.reply)) - Number(isSimilar(left.reply)));
  return near.slice(0, shownReplies).map(({ position, failed }) => `replies[${position}]: ${failed.length === 0 ? "it fits, but not this time" : `it wants ${failed.join(", ")}`}`);
}

function includes(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function drawn(of: string): number {
  return createHash("sha256").update(of).digest().readUInt32BE(0) / 2 ** 32;
}
