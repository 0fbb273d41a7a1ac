import type { SessionSummary } from "../../ports/session.ts";

const usualPage = 100;
const largestPage = 1000;

/** How many sessions a page has. */
export function pageSize(limit = usualPage): number {
  return Math.min(Math.max(1, Math.trunc(limit)), largestPage);
}

/** The first of the sessions that were found, in their order; whoever found one more than fit tells that there are others. */
export function pageOf(found: readonly SessionSummary[], size: number): { readonly sessions: readonly SessionSummary[]; readonly next?: string } {
  const sessions = found.slice(0, size);
  return { sessions, ...(found.length > size ? { next: sessions.at(-1)?.session ?? "" } : {}) };
}

/** The order of names in lists: by their UTF-8 bytes. */
export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
