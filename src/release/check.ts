import type { Build } from "../build/schema.ts";
import { resolvedIndexes } from "../config/settings.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import { checkIndex } from "./indexes.ts";
import type { Release } from "./schema.ts";

/**
 * Whether this environment's services are what the release needs: every model can be opened, and every index fits its
 * embedder. Fails with SERVICE_UNSUPPORTED, INDEX_STALE or EMBEDDER_DRIFTED before anything is recorded.
 */
export async function checkServices(context: Context, store: Store, { build, release }: { readonly build: Build; readonly release: Release }): Promise<void> {
  await Promise.all([...new Set(Object.values(release.agents).map(({ model }) => model))].map((model) => context.openModel(model)));
  const settings = resolvedIndexes(build.manifest, release.config, Object.keys(release.indexes));
  for (const [name, descriptor] of Object.entries(release.indexes)) {
    const own = settings[name];
    if (own !== undefined) await checkIndex(context, store, { name, descriptor, settings: own });
  }
}
