import type { Descriptor, Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { type BlobState, checkBlob } from "./blobs.ts";
import { describeBlob, type Links, linksOf, linksOfRef } from "./links.ts";
import type { Fault, Graph } from "./problems-plan.ts";

export interface Survey {
  readonly graph: Graph;
  /** By digest of a blob or name of a ref, which cannot be mistaken for each other. */
  readonly faults: ReadonlyMap<string, Fault>;
  /** The refs that were found. */
  readonly refs: readonly string[];
  readonly unknownRefs: readonly string[];
}

const visitsAtOnce = 16;

/** Follows every ref to everything that it needs. A blob without a state, written since the first look, is read now. */
export async function survey(store: Store, states: ReadonlyMap<Digest, BlobState>, signal: AbortSignal): Promise<Survey> {
  const users = new Map<string, Set<string>>();
  const labels = new Map<string, string>();
  const faults = new Map<string, Fault>();
  const unknownRefs: string[] = [];
  const refs = await store.refs.list("");
  const queue = refs.map((name) => () => visitRef(name));
  const queued = new Set<string>(refs);

  const use = (user: string, key: string, label: string): void => {
    users.set(key, (users.get(key) ?? new Set()).add(user));
    labels.set(key, label);
  };
  const visitOnce = (key: string, visit: () => Promise<void>): void => {
    if (!queued.has(key)) queue.push(visit);
    queued.add(key);
  };
  const follow = (user: string, links: Links): void => {
    for (const name of links.refs) {
      use(user, name, name);
      visitOnce(name, () => visitRef(name));
    }
    for (const blob of links.blobs) {
      use(user, blob.digest, describeBlob(blob));
      // Again for another size: a blob can have only one of them.
      visitOnce(`${blob.digest} ${blob.size}`, () => visitBlob(user, blob));
    }
  };
  const visitRef = async (name: string): Promise<void> => {
    const ref = await attempt(() => store.refs.read(name));
    if (ref !== undefined && "kind" in ref) return void faults.set(name, ref);
    if (ref === undefined) return void faults.set(name, { kind: "missing", message: `Ref ${name} is not in ${store.url}` });
    const links = await attempt(async () => linksOfRef(name, ref.value));
    if (links === undefined) unknownRefs.push(name);
    else if ("kind" in links) faults.set(name, links);
    else follow(name, links);
  };
  const visitBlob = async (user: string, blob: Descriptor): Promise<void> => {
    const { digest, size } = blob;
    const state = states.get(digest) ?? (await checkBlob(store.blobs, digest));
    if ("kind" in state) return void faults.set(digest, state);
    if (state.size !== size) return void faults.set(digest, { kind: "invalid", message: `Blob ${digest} has ${state.size} bytes, but ${labels.get(user) ?? user} says ${size}` });
    const links = await attempt(() => linksOf(store, blob));
    if ("kind" in links) faults.set(digest, links);
    else follow(digest, links);
  };

  // The queue grows while it is worked off. A store that is far away takes its time for each visit, and many at once.
  while (queue.length > 0) {
    await Promise.all(queue.splice(0, visitsAtOnce).map(async (visit) => {
      signal.throwIfAborted();
      await visit();
    }));
  }
  return { graph: { users, labels }, faults, refs, unknownRefs: unknownRefs.sort() };
}

async function attempt<Result>(read: () => Promise<Result>): Promise<Result | Fault> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TwelveError) || error.retry !== undefined) throw error;
    return { kind: error.code === "ARTIFACT_INVALID" ? "invalid" : "damaged", message: error.message };
  }
}
