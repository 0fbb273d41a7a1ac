import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { hasCredentials, withoutCredentials } from "../core/url.ts";
import type { Store } from "../ports/store.ts";
import type { VectorIndex, VectorService } from "../ports/vectors.ts";
import { readPublication } from "./publication.ts";
import type { Index } from "./schema.ts";

/** Where an index is published, as `twelve index publish` is told it. */
export interface PublishPlace {
  readonly environment: string;
  /** `--to`; what the environment attaches otherwise. */
  readonly to?: string | undefined;
}

export interface Which {
  readonly index: Pick<Index, "app" | "name" | "chunks">;
  readonly descriptor: Descriptor;
  readonly service: VectorService;
  readonly place: PublishPlace;
}

export interface OpenedPublication {
  readonly namespace: string;
  readonly opened: VectorIndex;
}

/**
 * Opens an index where it was published. Fails with INDEX_NOT_PUBLISHED, naming the command that publishes it, where it never was or
 * the service has lost it; or as the service does.
 */
export async function openPublication(store: Store, { index, descriptor, service, place }: Which): Promise<OpenedPublication> {
  const { url } = service;
  const namespace = (await readPublication(store, { app: index.app, index: descriptor.digest, url }))?.value.published?.namespace;
  const what = `Index "${index.name}" (${shortDigest(descriptor.digest)})`;
  const fix = `${publishFix(index, descriptor, place)}, then try again`;
  if (namespace === undefined) throw new TwelveError("INDEX_NOT_PUBLISHED", `${what} is not published at ${url}`, { fix });
  try {
    return { namespace, opened: await service.open(namespace) };
  } catch (cause) {
    // An adapter knows a namespace, and neither the index nor the environment.
    if (!(cause instanceof TwelveError) || cause.code !== "INDEX_NOT_FOUND") throw cause;
    throw new TwelveError("INDEX_NOT_PUBLISHED", `${what} was published at ${url}, and is gone there: ${cause.message}`, { cause, fix });
  }
}

/** As above, and compares how much is there. Fails with INDEX_CORRUPT, too. */
export async function openWhole(store: Store, which: Which): Promise<OpenedPublication> {
  const found = await openPublication(store, which);
  try {
    await requireWhole(found.opened, which);
    return found;
  } catch (error) {
    found.opened.close();
    throw error;
  }
}

/** Fails with INDEX_CORRUPT. */
export async function requireWhole(opened: VectorIndex, { index, descriptor, service, place }: Which): Promise<void> {
  const held = await opened.count();
  if (held === index.chunks) return;
  throw new TwelveError("INDEX_CORRUPT", `${service.url} holds ${held} of the ${index.chunks} chunks of index "${index.name}" (${shortDigest(descriptor.digest)})`, {
    fix: `${publishFix(index, descriptor, place, "--again")}, then try again`,
  });
}

/** A URL is shown without its credentials, and one that the environment attaches needs none. */
export function publishFix({ name }: Pick<Index, "name">, { digest }: Pick<Descriptor, "digest">, { environment, to }: PublishPlace, again?: "--again"): string {
  const where = to === undefined ? "" : ` --to ${withoutCredentials(to)}`;
  const command = `\`twelve index publish ${name}@${shortDigest(digest)}${where} --env ${environment}${again === undefined ? "" : " --again"}\``;
  return `Run ${command}${to !== undefined && hasCredentials(to) ? " with the credentials in the URL" : ""}`;
}
