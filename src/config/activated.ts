import { withoutCredentials } from "../core/url.ts";

/** The URL of an attached service as a process uses it. */
export interface ActivatedUrl {
  readonly url: string;
  /** The URL that the environment gives now, without credentials, where it names another service than the activation. */
  readonly other: string | undefined;
}

/** The activation decides which service is meant, and the environment gives the credentials. */
export function activatedUrl(activated: string | null, now: string): ActivatedUrl {
  const shown = withoutCredentials(now);
  // An activation holds no credentials; a URL that was read just now for want of one may.
  return activated === null || withoutCredentials(activated) === shown ? { url: now, other: undefined } : { url: activated, other: shown };
}
