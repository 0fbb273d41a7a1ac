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
export async function openPublication(store: Store, which: Which): Promise<OpenedPublication> {
  const { index, descriptor, service, place } = which;
  const { url } = service;
  const namespace = (await readPublication(store, { app: index.app, index: descriptor.digest, url }))?.value.published?.namespace;
  if (namespace === undefined) {
    throw new TwelveError("INDEX_NOT_PUBLISHED", `Index "${index.name}" (${shortDigest(descriptor.digest)}) is not published at ${url}`, { fix: `${publishFix(index, descriptor, place)}, then try again` });
  }
  return { namespace, opened: await knowingIndex(which, () => service.open(namespace)) };
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

/** Fails with INDEX_CORRUPT, or as `knowingIndex` does. */
export async function requireWhole(opened: VectorIndex, which: Which): Promise<void> {
  const held = await knowingIndex(which, () => opened.count());
  const { index, descriptor, service, place } = which;
  if (held === index.chunks) return;
  throw new TwelveError("INDEX_CORRUPT", `${service.url} holds ${held} of the ${index.chunks} chunks of index "${index.name}" (${shortDigest(descriptor.digest)})`, {
    fix: `${publishFix(index, descriptor, place, "--again")}, then try again`,
  });
}

/** An adapter knows a namespace, and neither the index nor the environment that its failure is mended by: they are said here. */
export async function knowingIndex<Result>({ index, descriptor, service, place }: Which, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof TwelveError)) throw cause;
    // What is still listed, and yet cannot be opened, would only be compared without `--again`.
    const fix = `${publishFix(index, descriptor, place, "--again")}, then try again`;
    if (cause.code === "ARTIFACT_INVALID") throw new TwelveError(cause.code, cause.message, { cause, fix });
    if (cause.code !== "INDEX_NOT_FOUND") throw cause;
    throw new TwelveError("INDEX_NOT_PUBLISHED", `Index "${index.name}" (${shortDigest(descriptor.digest)}) was published at ${service.url}, and is gone there: ${cause.message}`, { cause, fix });
  }
}

/** A URL is shown without its credentials, and one that the environment attaches needs none. */
export function publishFix({ name }: Pick<Index, "name">, { digest }: Pick<Descriptor, "digest">, { environment, to }: PublishPlace, again?: "--again"): string {
  const where = to === undefined ? "" : ` --to ${withoutCredentials(to)}`;
  const command = `\`twelve index publish ${name}@${shortDigest(digest)}${where} --env ${environment}${again === undefined ? "" : " --again"}\``;
  return `Run ${command}${to !== undefined && hasCredentials(to) ? " with the credentials in the URL" : ""}`;
}
