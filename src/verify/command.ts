import { z } from "zod";
import type { Digest } from "../core/descriptor.ts";
import { counted } from "../core/counted.ts";
import { failures } from "../core/failures.ts";
import { defineCommand } from "../ports/command.ts";
import { type BlobState, checkBlobs } from "./blobs.ts";
import { type Fault, planProblems } from "./problems-plan.ts";
import { type StoreProblem, VerifyReport } from "./schema.ts";
import { survey } from "./survey.ts";

export default defineCommand({
  input: z.strictObject({}),
  output: VerifyReport,
  examples: ["twelve verify", "TWELVE_STORE=file:/srv/store twelve verify --json"],
  description:
    "Reads every blob of the attached store from end to end and compares it with its digest; follows every ref of every application to all that it needs. Changes nothing. Ends with 100 when something is missing or damaged.",

  async run(_, context) {
    const { signal } = context;
    const store = await context.store();
    const progress = context.story.progress("Reading blobs");
    try {
      const states = await checkBlobs(store.blobs, signal, (done, total) => progress.update(done, total));
      progress.done(`Read ${counted(states.size, "blob")} of ${store.url}`);
      const { graph, faults, refs, unknownRefs } = await survey(store, states, signal);
      const intact = [...states].flatMap(([digest, state]) => ("size" in state ? [{ digest, size: state.size }] : []));
      return {
        store: store.url,
        blobs: states.size,
        bytes: intact.reduce((sum, { size }) => sum + size, 0),
        refs: refs.length,
        unreferenced: intact.filter(({ digest }) => !graph.users.has(digest)).length,
        unknownRefs: [...unknownRefs],
        problems: planProblems(graph, new Map([...damagedIn(states), ...faults])),
      };
    } finally {
      progress.stop();
    }
  },

  render({ store, blobs, bytes, refs, unreferenced, unknownRefs, problems }) {
    if (blobs === 0 && refs === 0) return `${store} is empty. If it should not be, look at TWELVE_STORE and --dir.`;
    const state = problems.length === 0 ? "All are intact, and everything that refs lead to is there." : `${counted(problems.length, "problem")}:`;
    return [
      `${store}: ${counted(blobs, "blob")} (${formatBytes(bytes)}) and ${counted(refs, "ref")}. ${state}`,
      ...problems.map(formatProblem),
      ...(unreferenced === 0 ? [] : [`Nothing refers to ${counted(unreferenced, "blob")}, which does no harm.`]),
      ...(unknownRefs.length === 0 ? [] : [`This version of twelve has no use for ${listSome(unknownRefs)}.`]),
    ].join("\n");
  },

  verdict({ problems }) {
    const { exit, fix } = failures.STORE_CORRUPT;
    return problems.length === 0 ? undefined : { exit, message: `${counted(problems.length, "problem")} in the store. Fix: ${fix}  [STORE_CORRUPT]` };
  },
});

/** Damaged blobs count also when nothing refers to them; one that is gone since it was listed does not. */
function damagedIn(states: ReadonlyMap<Digest, BlobState>): readonly (readonly [string, Fault])[] {
  return [...states].flatMap(([digest, state]) => ("kind" in state && state.kind === "damaged" ? [[digest, state] as const] : []));
}

function formatProblem({ kind, message, referredBy, neededBy }: StoreProblem): string {
  const users = referredBy.length === 0 ? "nothing refers to it" : `named by ${listSome(referredBy)}; needed by ${listSome(shortestFirst(neededBy))}`;
  return `  ${kind}: ${message}\n    ${users}`;
}

/** The long names are digests; the short ones are what people know. */
function shortestFirst(names: readonly string[]): readonly string[] {
  return names.toSorted((left, right) => left.length - right.length);
}

const shownNames = 4;

function listSome(names: readonly string[]): string {
  const more = names.length - shownNames;
  return more > 0 ? `${names.slice(0, shownNames).join(", ")} and ${more} more` : names.join(", ");
}

function formatBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toLocaleString("en-US", { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
}
