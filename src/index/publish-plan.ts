import { type Digest, hexOf } from "../core/descriptor.ts";
import type { Publication } from "./schema.ts";

/** A process that loads gives a sign of life so often; one that has been silent for three of them is taken for dead. */
export const beatMs = 10_000;
export const silentMs = 3 * beatMs;

export type PublishPlan =
  /** It was published and compared before. */
  | { readonly kind: "compare"; readonly namespace: string }
  /** An earlier process loaded all of it and was stopped before it was compared. */
  | { readonly kind: "finish"; readonly namespace: string }
  | { readonly kind: "load"; readonly namespace: string }
  /** Another process is at work on it. */
  | { readonly kind: "wait"; readonly waitMs: number };

interface Facts {
  readonly publication: Publication | undefined;
  /** The namespaces that the service lists. */
  readonly listed: ReadonlySet<string>;
  readonly isAgain: boolean;
  /** How long ago the process that loads gave its last sign of life. */
  readonly silentForMs: number;
  /** A name that nobody has. */
  readonly fresh: string;
}

/** What is published is never written over, because processes may be reading it: `--again` loads another namespace beside it. */
export function planPublish({ publication, listed, isAgain, silentForMs, fresh }: Facts): PublishPlan {
  const { published = null, loading = null } = publication ?? {};
  if (published !== null && !isAgain && listed.has(published.namespace)) return { kind: "compare", namespace: published.namespace };
  if (loading === null) return { kind: "load", namespace: fresh };
  if (silentForMs < silentMs) return { kind: "wait", waitMs: silentMs - silentForMs };
  return { kind: listed.has(loading.namespace) && !isAgain ? "finish" : "load", namespace: loading.namespace };
}

interface Named {
  readonly app: string;
  readonly name: string;
  readonly digest: Digest;
  /** Hex digits that make the name this store's own: another store may publish the same index to the same place. */
  readonly random: string;
}

/** Readable in the server's own tools, and at most 45 characters of `[a-z0-9-]` that start with a letter. */
export function namespaceOf({ app, name, digest, random }: Named): string {
  const own = `${cut(app, 14)}-${cut(name, 12)}`;
  return `${/^[a-z]/.test(own) ? own : `x${own.slice(1)}`}-${hexOf(digest).slice(0, 10)}-${random.slice(0, 6)}`;
}

function cut(name: string, length: number): string {
  return name.slice(0, length).replace(/-+$/, "");
}
