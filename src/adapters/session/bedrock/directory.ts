import { mapAhead } from "../../../core/ahead.ts";
import type { BedrockSessions, Summary } from "./client.ts";
import { type Part, readMetadata } from "./part.ts";

/** Finds parts by name. */
export interface Directory {
  parts(user: string, session?: string): Promise<readonly Part[]>;
}

const requestsAtOnce = 8;

/**
 * Bedrock finds no session by anything but its own ID: all sessions of the account are listed each time, and each one that is
 * new to this process is asked for its metadata, which never changes.
 */
export function openDirectory(client: BedrockSessions, space: string): Directory {
  let known = new Map<string, ReturnType<typeof readMetadata>>();

  async function describe(summary: Summary): Promise<{ readonly summary: Summary; readonly described: ReturnType<typeof readMetadata> }> {
    if (known.has(summary.id)) return { summary, described: known.get(summary.id) };
    const metadata = await client.metadata(summary.id);
    return { summary, described: metadata === undefined ? undefined : readMetadata(metadata, space) };
  }

  return {
    async parts(user, session) {
      // What is gone from the list is forgotten, too.
      const listed = new Map<string, ReturnType<typeof readMetadata>>();
      const found: Part[] = [];
      for await (const { summary, described } of mapAhead(await client.list(), requestsAtOnce, describe)) {
        listed.set(summary.id, described);
        if (described?.user === user && (session === undefined || described.session === session)) found.push({ ...described, ...summary });
      }
      known = listed;
      return found;
    },
  };
}
