import type { OpenJob } from "./open-job.ts";

/** The jobs that this process has open. */
export interface OpenJobs {
  /**
   * Does the work with the job, which is opened at its first step and stays open for the next ones. What fails or is stopped takes
   * the open job with it: the next try starts with a fresh one.
   */
  use<Result>(step: Step, work: (job: OpenJob) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export interface Step {
  readonly id: string;
  /** Of the step. The job's own is aborted with the first of them: a job is cancelled, or a worker stopped, as a whole. */
  readonly signal: AbortSignal;
  readonly open: (signal: AbortSignal) => Promise<OpenJob>;
}

interface Entry {
  readonly opened: Promise<OpenJob>;
  readonly stop: AbortController;
  users: number;
}

/** A worker goes from one job to the next; one that is used again soon is still there. */
const jobsKept = 2;

export function openJobs(): OpenJobs {
  const entries = new Map<string, Entry>();

  const enter = ({ id, open }: Step): Entry => {
    const known = entries.get(id);
    if (known !== undefined) return known;
    const stop = new AbortController();
    const entry: Entry = { opened: open(stop.signal), stop, users: 0 };
    entry.opened.catch(() => {});
    entries.set(id, entry);
    return entry;
  };
  const forget = (id: string, entry: Entry): void => void (entries.get(id) === entry && entries.delete(id));
  const closeUnused = async (id: string, entry: Entry): Promise<void> => {
    if (entry.users > 0 || entries.get(id) === entry) return;
    await entry.opened.then(({ cutters }) => cutters.close()).catch(() => {});
  };

  return {
    async use(step, work) {
      const { id, signal } = step;
      const entry = enter(step);
      const onAbort = (): void => entry.stop.abort(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      entry.users++;
      try {
        return await work(await entry.opened);
      } catch (error) {
        forget(id, entry);
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
        entry.users--;
        await closeUnused(id, entry);
        for (const [other, old] of [...entries].slice(0, -jobsKept)) {
          if (old.users > 0) continue;
          forget(other, old);
          await closeUnused(other, old);
        }
      }
    },
    async close() {
      const left = [...entries];
      entries.clear();
      await Promise.all(left.map(([id, entry]) => closeUnused(id, entry)));
    },
  };
}
