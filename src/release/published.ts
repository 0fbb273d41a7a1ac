import type { Build } from "../build/schema.ts";
import { readSecrets } from "../config/read.ts";
import { publishedUrl, vectorsKey } from "../config/vectors.ts";
import { shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { usePublication } from "../index/publication.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { Activation, Release } from "./schema.ts";

interface PublishedQuestion {
  readonly build: Pick<Build, "manifest">;
  readonly release: Pick<Release, "app" | "indexes">;
  readonly environment: string;
  /** Those that the activation will hold. */
  readonly attachments: Activation["attachments"];
}

/**
 * Refuses an activation that would search an index where it was never loaded. What is there counts as used from now on, so that
 * `twelve admin gc` keeps it until the activation is recorded and says so itself. Fails with INDEX_NOT_PUBLISHED.
 */
export async function requirePublished(context: Context, store: Store, { build: { manifest }, release: { app, indexes }, environment, attachments }: PublishedQuestion): Promise<void> {
  const attached = Object.entries(indexes).flatMap(([name, index]) => {
    const url = publishedUrl(attachments[vectorsKey(manifest, name) ?? ""]?.url);
    return url === undefined ? [] : [{ name, index, url }];
  });
  if (attached.length === 0) return;
  const secrets = await readSecrets(context, manifest, environment);
  const missing: string[] = [];
  const places = new Set<string>();
  for (const { name, index, url } of attached) {
    // Only its name for itself is wanted; nothing is asked.
    const service = await context.openVectorService(url, secrets);
    const isThere = await usePublication(store, context.clock, { app, index: index.digest, url: service.url });
    await service.close();
    if (isThere) continue;
    missing.push(`${name}@${shortDigest(index.digest)}`);
    places.add(service.url);
  }
  if (missing.length === 0) return;
  const commands = missing.map((each) => `\`twelve index publish ${each} --env ${environment}\``).join(", ");
  throw new TwelveError("INDEX_NOT_PUBLISHED", `${environment} searches ${missing.join(", ")} at ${[...places].join(", ")}, where ${missing.length === 1 ? "it is" : "they are"} not published`, { fix: `Run ${commands}, then try again` });
}
