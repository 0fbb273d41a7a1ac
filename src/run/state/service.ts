import { isEmbedded, readActivatedStateUrl, stateKey } from "../../config/state.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Attachment } from "../../config/activated.ts";
import type { Manifest } from "../../manifest/schema.ts";
import type { Context, Environment } from "../../ports/context.ts";
import type { SessionStore } from "../../ports/session.ts";
import { withFirstUse } from "./first-use.ts";

export interface StatePlace {
  readonly manifest: Manifest;
  /** null outside every environment, where nothing is kept. */
  readonly environment: string | null;
  readonly attachments: Readonly<Record<string, Attachment>>;
  readonly secrets: Environment;
}

/** The state service of an environment, for as long as a runtime lives. */
export interface StateService {
  /** Opened at first use, and shared by all who ask. Fails as `Context.openSessions` does, and is tried again by whoever asks next. */
  open(): Promise<SessionStore>;
  close(): Promise<void>;
}

/** A request that needs no state pays nothing for it: nothing is read or connected before somebody asks. */
export function stateService(context: Pick<Context, "env" | "openConfig" | "openSessions" | "story">, { manifest, environment, attachments, secrets }: StatePlace): StateService {
  let opened: Promise<SessionStore> | undefined;

  async function openNow(): Promise<SessionStore> {
    if (environment === null) throw new TwelveError("REQUEST_INVALID", "Nothing is kept outside every environment: leave the session out");
    const { url, other } = await readActivatedStateUrl(context, manifest, { environment, attachments });
    if (other !== undefined) context.story.warn(`${stateKey} is ${other} now, but the release was activated with ${url}, and that is where conversations are kept. Release or promote again to change it`);
    const store = await context.openSessions(url, secrets);
    return isEmbedded(url) ? withFirstUse(store, context) : store;
  }

  return {
    open() {
      opened ??= openNow().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    async close() {
      // What could not be opened need not be closed.
      const store = await opened?.catch(() => undefined);
      await store?.close();
    },
  };
}
