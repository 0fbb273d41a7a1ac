import type { Digest } from "../../core/descriptor.ts";
import type { ToolAgents } from "./open.ts";

/** Releases that runs were begun in which go on here. Each holds its indexes, tools and connections, so few are open at a time. */
export interface OtherReleases {
  /**
   * Opens it, or gives one that is open, which stays so until it is left and for a while longer. Waits for a place where all are in use. Fails as
   * opening it does, and whoever comes next tries anew; or with `closed`.
   */
  enter(release: Digest): Promise<EnteredRelease>;
  /** Closes all, also under who is in one, and opens nothing more. */
  close(): Promise<void>;
}

export interface EnteredRelease {
  readonly agents: ToolAgents;
  leave(): void;
}

interface Place {
  readonly agents: Promise<ToolAgents>;
  users: number;
  timer?: NodeJS.Timeout;
}

/** The process stops: nobody goes on with a run here. */
export const closed = new Error("The releases that runs were begun in are closed");

const usualMost = 4;
const usualIdleMs = 5 * 60_000;

export function openOtherReleases(open: (release: Digest) => Promise<ToolAgents>, { most = usualMost, idleMs = usualIdleMs } = {}): OtherReleases {
  /** The longest unused first. */
  const places = new Map<Digest, Place>();
  let isClosed = false;
  let { promise: changed, resolve: tellChange } = Promise.withResolvers<void>();

  function change(): void {
    tellChange();
    ({ promise: changed, resolve: tellChange } = Promise.withResolvers<void>());
  }

  async function drop(release: Digest, { agents, timer }: Place): Promise<void> {
    clearTimeout(timer);
    places.delete(release);
    change();
    await (await agents.catch(() => undefined))?.close();
  }

  /** Its caller is one of its users already: nobody closes it in the moment before they go on. */
  async function placeOf(release: Digest): Promise<Place> {
    for (;;) {
      if (isClosed) throw closed;
      const known = places.get(release);
      if (known !== undefined) {
        known.users += 1;
        clearTimeout(known.timer);
        return known;
      }
      const unused = [...places].find(([, { users }]) => users === 0);
      if (places.size >= most && unused !== undefined) void drop(...unused).catch(() => {});
      if (places.size < most) break;
      await changed;
    }
    const place: Place = { agents: open(release), users: 1 };
    places.set(release, place);
    return place;
  }

  return {
    async enter(release) {
      const place = await placeOf(release);
      let isIn = true;
      const leave = (): void => {
        if (!isIn) return;
        isIn = false;
        place.users -= 1;
        if (place.users > 0 || places.get(release) !== place) return;
        places.delete(release);
        places.set(release, place);
        place.timer = setTimeout(() => void drop(release, place).catch(() => {}), idleMs).unref();
        change();
      };
      try {
        const agents = await place.agents;
        if (isClosed) throw closed;
        return { agents, leave };
      } catch (error) {
        leave();
        if (places.get(release) === place) await drop(release, place);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      change();
      await Promise.all([...places].map((place) => drop(...place)));
    },
  };
}
