import type { CodeFile, CodeTree } from "../code/schema.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { byCodeUnit } from "../core/compare.ts";
import { type Descriptor, digestOf } from "../core/descriptor.ts";
import { modelChain } from "../manifest/model-chain.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { CompiledPrompt } from "../prompt/schema.ts";
import { isLockfile } from "./dependency-plan.ts";
import type { Build } from "./schema.ts";

export interface BuildParts {
  readonly manifest: Manifest;
  readonly source: Build["source"];
  readonly code: Descriptor;
  readonly tree: CodeTree;
  readonly prompts: readonly CompiledPrompt[];
  readonly promptPackages: Build["promptPackages"];
}

/** Equal parts give an equal build, in whatever order they were found. */
export function planBuild({ manifest, source, code, tree, prompts, promptPackages }: BuildParts): Build {
  return {
    version: 1,
    app: manifest.name,
    source,
    manifest,
    manifestDigest: digestOf(canonicalJson(manifest)),
    code,
    prompts: [...prompts].sort((left, right) => byCodeUnit(left.name, right.name) || byCodeUnit(left.variant ?? "", right.variant ?? "")),
    promptPackages: [...promptPackages].sort((left, right) => byCodeUnit(left.name, right.name)),
    lockfiles: tree.files.filter(isLockfileEntry).map(({ path, digest }) => ({ path, digest })),
    models: declaredModels(manifest, prompts),
  };
}

function isLockfileEntry({ path, mode }: CodeFile): boolean {
  return mode !== "symlink" && isLockfile(path);
}

function declaredModels({ agents, indexes }: Manifest, prompts: readonly CompiledPrompt[]): string[] {
  const models = [
    ...Object.values(agents).flatMap(modelChain),
    ...Object.values(indexes).map(({ embedder }) => embedder),
    ...prompts.flatMap(({ model }) => (model === null ? [] : [model])),
  ];
  return [...new Set(models)].sort();
}
