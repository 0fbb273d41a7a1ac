import { type Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Build } from "../build/schema.ts";

interface DirtyQuestion {
  readonly build: Build;
  readonly digest: Digest;
  readonly environment: string;
  readonly allowDirty: boolean;
}

/** Outside development a release must be traceable to a commit. Fails with BUILD_DIRTY. */
export function refuseDirty({ build: { source }, digest, environment, allowDirty }: DirtyQuestion): void {
  if (!source.dirty || environment === "development" || allowDirty) return;
  throw new TwelveError("BUILD_DIRTY", `Build ${shortDigest(digest)} was made from uncommitted changes on ${formatCommit(source.commit)}; ${environment} takes only committed code`);
}

export function formatSource({ commit, dirty }: Build["source"]): string {
  return `${formatCommit(commit)}${dirty ? ", with uncommitted changes" : ""}`;
}

function formatCommit(commit: string | null): string {
  return commit === null ? "no commit" : `commit ${commit.slice(0, 12)}`;
}
