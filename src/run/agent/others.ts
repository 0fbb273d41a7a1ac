import type { Digest } from "../../core/descriptor.ts";
import type { ToolAgents } from "./open.ts";

/** Releases that runs were begun in which go on here. Each holds its indexes, tools and connections, so few are open at a time. */
export interface OtherReleases {
  /**
   * Opens it, or gives one that is open, which stays so until it is left and for a while longer. Waits for a place where all are in use. Fails as
   * opening it does; whoever comes next tries anew.
   */
  enter(release: Digest): Promise<EnteredRelease>;
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

const usualMost = 4;
const usualIdleMs = 5 * 60_000;

export function openOtherReleases(open: (release: Digest) => Promise<ToolAgents>, { most = usualMost, idleMs = usualIdleMs } = {}): OtherReleases {
  /** The longest unused first. */
  const places = new Map<Digest, Place>();
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

  async function placeOf(release: Digest): Promise<Place> {
    for (;;) {
      const known = places.get(release);
      if (known !== undefined) return known;
      const unused = [...places].find(([, { users }]) => users === 0);
      if (places.size >= most && unused !== undefined) void drop(...unused).catch(() => {});
      if (places.size < most) break;
      await changed;
    }
    const place: Place = { agents: open(release), users: 0 };
    places.set(release, place);
    return place;
  }

  return {
    async enter(release) {
      const place = await placeOf(release);
      place.users += 1;
      clearTimeout(place.timer);
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
        return { agents: await place.agents, leave };
      } catch (error) {
        leave();
        if (places.get(release) === place) await drop(release, place);
        throw error;
      }
    },
    close: async () => void (await Promise.all([...places].map((place) => drop(...place)))),
  };
}
