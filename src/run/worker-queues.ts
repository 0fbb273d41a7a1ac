import { TwelveError } from "../core/errors.ts";
import { indexQueue, queues as known, runsQueue } from "../manifest/process.ts";
import type { Story } from "../ports/story.ts";

interface Wanted {
  readonly process: string;
  readonly environment: string;
  readonly queues: readonly string[];
  readonly hasRelease: boolean;
}

/** What a worker works on. Indexes come before the first release; runs are of one. Fails with PROCESS_UNSUPPORTED or RELEASE_NOT_ACTIVE. */
export function chooseQueues({ process, environment, queues, hasRelease }: Wanted, story: Pick<Story, "warn">): { readonly indexes: boolean; readonly runs: boolean } {
  const unknown = queues.filter((queue) => !known.some((name) => name === queue));
  if (unknown.length > 0) throw new TwelveError("PROCESS_UNSUPPORTED", `The process ${process} works on ${unknown.join(", ")}; this version has the queues ${known.join(" and ")}`, { fix: `Declare it as \`work: [${known.join(", ")}]\`, or one of them` });
  const [indexes, runs] = [queues.includes(indexQueue), queues.includes(runsQueue)];
  if (!runs || hasRelease) return { indexes, runs };
  if (!indexes) throw new TwelveError("RELEASE_NOT_ACTIVE", `The process ${process} works on runs of agents, and ${environment} has no release yet`, { fix: `Run \`twelve release --env ${environment}\`` });
  story.warn(`${environment} has no release yet, so ${process} works on ${indexQueue} alone. Start it again after \`twelve release --env ${environment}\``);
  return { indexes, runs: false };
}
