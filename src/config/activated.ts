import { withoutCredentials } from "../core/url.ts";
import type { Pins } from "./provided.ts";

/** The URL of an attached service as a process uses it. */
export interface ActivatedUrl {
  readonly url: string;
  /** The URL that the environment gives now, without credentials, where it names another service than the activation. */
  readonly other: string | undefined;
}

/** As an activation has it: without credentials, and where it was read from. */
export interface Attachment {
  readonly url: string | null;
  readonly source?: string;
}

/** The activation decides which service is meant, and the environment gives the credentials. */
export function activatedUrl(activated: string | null, now: string, then: string = now): ActivatedUrl {
  const shown = withoutCredentials(now);
  // An activation holds no credentials; a URL that was read just now for want of one may.
  if (activated === null || withoutCredentials(activated) === shown) return { url: now, other: undefined };
  return { url: withoutCredentials(then) === withoutCredentials(activated) ? then : activated, other: shown };
}

/** Where the environment names another service by now, but keeps versions, the credentials of that time are there, too. */
export async function readActivatedUrl(key: string, { url, source }: Attachment, now: string, read: (pins: Pins) => Promise<string>): Promise<ActivatedUrl> {
  const found = activatedUrl(url, now);
  return found.other === undefined || source === undefined ? found : activatedUrl(url, now, await read({ [key]: source }));
}
