import { summaryOf, TwelveError } from "../core/errors.ts";
import type { Story } from "../ports/story.ts";
import type { RuntimePart } from "./health.ts";

interface Readiness {
  /** Where it listens. */
  readonly url: string;
  readonly write: (event: "server-ready" | "server-not-ready", fields: object) => void;
  readonly story: Pick<Story, "note" | "warn">;
  /** How long ago it was started. */
  readonly ageMs: () => number;
  /** What a person reads when the server is ready for the first time. */
  readonly greet: () => void;
}

/** A release that is still being opened by then is worth a warning; sooner it is how every start begins. */
const quietMs = 5000;

/** Told what was seen, it writes an event when a server gets ready, or is no longer, or waits for something else or for another reason: the first time, and at each change. */
export function tellReadiness({ url, write, story, ageMs, greet }: Readiness): (parts: readonly RuntimePart[]) => void {
  let told: string | undefined;
  let isGreeted = false;
  return (parts) => {
    const missing = parts.filter(({ isReady }) => !isReady);
    if (missing.length > 0 && missing.every(({ failure }) => isBeginning(failure) || (failure === undefined && ageMs() < quietMs))) return;
    const seen = missing.map(({ name, failure }) => `${name}: ${reasonIn(failure)}`).join("\n");
    if (seen === told) return;
    told = seen;
    if (missing.length > 0) {
      write("server-not-ready", { checks: Object.fromEntries(missing.map(({ name, detail }) => [name, detail])) });
      story.warn(`${url} is not ready: ${missing.map(({ name, detail }) => `${name}: ${detail}`).join("; ")}`);
      return;
    }
    write("server-ready", {});
    if (isGreeted) story.note(`${url} is ready again`);
    else greet();
    isGreeted = true;
  };
}

/** What begins has said so itself where it takes long, and says when it has failed. */
function isBeginning(failure: unknown): boolean {
  return failure instanceof TwelveError && failure.code === "PROCESS_NOT_READY";
}

/** The same for as long as nothing new is known: words with digits are counters, seconds, addresses or the IDs of requests. */
function reasonIn(failure: unknown): string {
  if (failure === undefined) return "";
  return failure instanceof TwelveError ? `${failure.code} ${summaryOf(failure).replaceAll(/\S*\d\S*/g, "#")}` : "not a failure of a service";
}
