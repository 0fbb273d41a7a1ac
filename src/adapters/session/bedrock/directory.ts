import { randomUUID } from "node:crypto";
import { mapAhead } from "../../../core/ahead.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { BedrockSessions } from "./client.ts";
import { type Part, readMetadata } from "./part.ts";

/** Finds parts by name. */
export interface Directory {
  parts(user: string, session?: string): Promise<readonly Part[]>;
}

const requestsAtOnce = 8;

/** What a session's metadata says; undefined for one that is not ours, or gone. */
type Described = ReturnType<typeof readMetadata>;

/**
 * Bedrock finds no session by anything but its own ID: all sessions of the account are listed each time, and each one that is
 * new to this process is asked for its metadata, which never changes. One that may not be read is somebody else's; it is asked
 * for again each time, because rights may be given.
 */
export function openDirectory(client: BedrockSessions, space: string): Directory {
  let known = new Map<string, Described>();

  async function describe(id: string): Promise<Described | "denied" | "gone"> {
    if (known.has(id)) return known.get(id);
    try {
      const metadata = await client.metadata(id);
      return metadata === undefined ? "gone" : readMetadata(metadata, space);
    } catch (error) {
      if (error instanceof TwelveError && error.code === "SERVICE_DENIED") return "denied";
      throw error;
    }
  }

  return {
    async parts(user, session) {
      // What is gone from the list is forgotten, too.
      const listed = new Map<string, Described>();
      const found: Part[] = [];
      let denied = 0;
      for await (const { summary, described } of mapAhead(await client.list(), requestsAtOnce, async (each) => ({ summary: each, described: await describe(each.id) }))) {
        if (described === "denied") denied += 1;
        // One that is gone may have been made a moment ago.
        if (described === "denied" || described === "gone") continue;
        listed.set(summary.id, described);
        if (described?.user === user && (session === undefined || described.session === session)) found.push({ ...described, ...summary });
      }
      // Whether the right to read any session is missing shows at one that does not exist: it is refused, instead of not found.
      if (denied > 0) await client.metadata(randomUUID());
      known = listed;
      return found;
    },
  };
}
