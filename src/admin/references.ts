import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { publishedUrl, vectorsKey } from "../config/vectors.ts";
import type { Digest } from "../core/descriptor.ts";
import { findIndex } from "../index/read.ts";
import { listIndexes } from "../index/find.ts";
import type { Store } from "../ports/store.ts";
import { listEnvironments, readHistory } from "../release/read.ts";
import { type Activation, releaseKind } from "../release/schema.ts";

/** What must not be dropped. */
export interface References {
  /** Why a publication is needed, by index and URL of the vector service; see `keyOf`. */
  readonly published: ReadonlyMap<string, string>;
  /** Why an index is needed wherever it is published: the next release takes the newest of its name. */
  readonly newest: ReadonlyMap<Digest, string>;
  /** Every index that is needed at all. */
  readonly indexes: ReadonlySet<Digest>;
}

/** Without a URL it stands for every place: it is not known which one is meant. */
export function keyOf(index: Digest, url = ""): string {
  return `${index} ${url}`;
}

interface ReferencesQuestion {
  readonly app: string;
  /** How many earlier releases of each environment count, for rolling back. */
  readonly keep: number;
  /** What a vector service calls itself; undefined for one that cannot be opened here. */
  readonly nameOf: (url: string) => Promise<string | undefined>;
}

/**
 * Everything that the current activation of any environment refers to, that its newest earlier releases do, and the newest index of each
 * name, which the next release takes. Nothing here is read from the working folder: an environment that twelve.yaml no longer names may be running yet.
 */
export async function readReferences(store: Store, { app, keep, nameOf }: ReferencesQuestion): Promise<References> {
  const published = new Map<string, string>();
  const newest = new Map<Digest, string>();
  const indexes = new Set<Digest>();
  for (const environment of await listEnvironments(store, app)) {
    for (const activation of keptOf(await readHistory(store, app, environment).then((all) => all.map((each) => each.activation)), keep)) {
      const release = await readDocument(store, releaseKind, activation.release);
      const { manifest } = await readDocument(store, buildKind, release.build);
      const reason = `v${activation.number} in ${environment}`;
      for (const [name, { digest }] of Object.entries(release.indexes)) {
        const url = publishedUrl(activation.attachments[vectorsKey(manifest, name) ?? ""]?.url);
        indexes.add(digest);
        if (url === undefined) continue;
        const key = keyOf(digest, await nameOf(url));
        if (!published.has(key)) published.set(key, reason);
      }
    }
  }
  for (const name of new Set((await listIndexes(store, app)).map((index) => index.name))) {
    const found = await findIndex(store, app, name);
    if (found === undefined) continue;
    newest.set(found.descriptor.digest, `the newest ${name}`);
    indexes.add(found.descriptor.digest);
  }
  return { published, newest, indexes };
}

/** The current activation and those of the newest earlier releases, each release once for every set of attachments it had. */
function keptOf(history: readonly Activation[], keep: number): readonly Activation[] {
  const releases = new Set<Digest>();
  return history.filter(({ release }) => {
    if (releases.size <= keep) releases.add(release.digest);
    return releases.has(release.digest);
  });
}
