import { readDocument } from "../artifact/document.ts";
import { readSecrets } from "../config/read.ts";
import type { AttachedUrl } from "../config/vectors.ts";
import { shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { usePublication } from "../index/publication.ts";
import { openWhole } from "../index/published.ts";
import { indexKind } from "../index/schema.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { Release } from "./schema.ts";

interface PublishedQuestion {
  readonly manifest: Manifest;
  readonly release: Pick<Release, "app" | "indexes">;
  readonly environment: string;
  /** The service of each index, as the activation will have it, with credentials. */
  readonly urls: Readonly<Record<string, AttachedUrl>>;
}

interface Lost {
  readonly index: string;
  readonly url: string;
  /** What publishes it. */
  readonly fix: string;
}

/**
 * Refuses an activation that would search an index that is not there, or not all of it: every service is asked. What is there counts as
 * used from now on, so that `twelve admin gc` keeps it until the activation is recorded and says so itself. Fails with
 * INDEX_NOT_PUBLISHED or INDEX_CORRUPT, or as a vector service does.
 */
export async function requirePublished(context: Context, store: Store, { manifest, release: { app, indexes }, environment, urls }: PublishedQuestion): Promise<void> {
  const attached = Object.entries(indexes).flatMap(([name, descriptor]) => (urls[name] === undefined ? [] : [{ name, descriptor, app, ...urls[name] }]));
  if (attached.length === 0) return;
  const secrets = await readSecrets(context, manifest, environment);
  const missing: Lost[] = [];
  for (const each of attached) {
    const lost = await lookAt(context, store, each, secrets);
    if (lost !== undefined) missing.push(lost);
  }
  if (missing.length === 0) return;
  const names = missing.map(({ index }) => index);
  const places = [...new Set(missing.map(({ url }) => url))].join(", ");
  throw new TwelveError("INDEX_NOT_PUBLISHED", `${environment} searches ${names.join(", ")} at ${places}, where ${names.length === 1 ? "it is" : "they are"} not, or no longer, published`, { fix: missing.map(({ fix }) => fix).join("; ") });
}

interface Attached extends AttachedUrl {
  readonly app: string;
  readonly name: string;
  readonly descriptor: Release["indexes"][string];
}

async function lookAt(context: Context, store: Store, { app, name, descriptor, url, environment }: Attached, secrets: Environment): Promise<Lost | undefined> {
  const service = await context.openVectorService(url, secrets);
  try {
    await usePublication(store, context.clock, { app, index: descriptor.digest, url: service.url });
    const index = await readDocument(store, indexKind, descriptor);
    const { opened } = await openWhole(store, { index, descriptor, service, place: { environment } });
    opened.close();
    return undefined;
  } catch (error) {
    if (error instanceof TwelveError && error.code === "INDEX_NOT_PUBLISHED") return { index: `${name}@${shortDigest(descriptor.digest)}`, url: service.url, fix: error.fix };
    throw error;
  } finally {
    await service.close().catch(() => undefined);
  }
}
