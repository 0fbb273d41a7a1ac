import { join } from "node:path";
import { access } from "node:fs/promises";
import { canonicalJson } from "../../../core/canonical-json.ts";
import { digestOf, shortDigest } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import { findDamage } from "../../../models/intact.ts";
import { usualFiles } from "../../../models/plan.ts";
import { findLockedModel, lockFile, readLock } from "../../../models/read.ts";
import type { LockedModel } from "../../../models/schema.ts";
import type { Embedder, EmbedderIdentity } from "../../../ports/embedding.ts";
import { checkEmbedder } from "../check.ts";
import { loadEngine } from "./engine.ts";
import { parseReference } from "./schema.ts";
import { readSettings, type Settings } from "./settings.ts";

const maxBatch = 32;

/**
 * A local ONNX model, run by transformers.js in this process. Its files are compared with twelve.lock before any of
 * them is used; the library and the weights are loaded when the first text comes. Nothing is ever fetched here.
 */
export async function openEmbedder(reference: string, dir: string): Promise<Embedder> {
  const { folder, options } = parseReference(reference);
  const locked = findLockedModel(await readLock(dir), folder);
  await refuseDamage(dir, folder, locked);
  const path = join(dir, folder);
  const settings = await readSettings(path, locked, options);
  const { queryPrefix, documentPrefix, maxTokens } = settings;
  let loading: ReturnType<typeof loadEngine> | undefined;

  const embedder: Omit<Embedder, "check"> = {
    identity: identityOf(folder, locked, settings),
    maxBatch,
    maxTextTokens: maxTokens,
    usdPerMillionTokens: 0,
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const engine = await (loading ??= loadEngine(dir, path, settings));
      const prefix = task === "query" ? queryPrefix : documentPrefix;
      return engine.embed(texts.map((text) => prefix + text), signal);
    },
  };
  return { ...embedder, check: (signal) => checkEmbedder(embedder, signal) };
}

/** Fails with MODEL_DAMAGED, or with MODEL_UNPINNED for a file that the library would read although nothing pins it. */
async function refuseDamage(dir: string, folder: string, locked: LockedModel): Promise<void> {
  const damaged = await findDamage(dir, folder, locked);
  if (damaged.length > 0) {
    throw new TwelveError("MODEL_DAMAGED", `The model in ${folder} is not the one that ${lockFile} names`, {
      problems: damaged.map(({ path, reason }) => ({ file: `${folder}/${path}`, message: reason })),
      fix: `Run \`twelve models pull ${folder}\`; if the files are right and the lock is old, \`twelve models pull ${folder} --update\``,
    });
  }
  for (const path of usualFiles.filter((path) => !Object.hasOwn(locked.files, path))) {
    if (!(await access(join(dir, folder, path)).then(() => true, () => false))) continue;
    throw new TwelveError("MODEL_UNPINNED", `${folder}/${path} would be used with the model, but ${lockFile} does not name it`, {
      fix: `Delete it, or pin it with \`twelve models pull ${folder} --update --file ${path}\``,
    });
  }
}

/** Whatever changes a vector changes the name: the files, and how they are used. */
function identityOf(folder: string, { files }: LockedModel, { pooling, dtype, maxTokens, dimensions, queryPrefix, documentPrefix }: Settings): EmbedderIdentity {
  const name = folder.split("/").at(-1) ?? folder;
  const digest = shortDigest(digestOf(canonicalJson({ files, pooling, dtype, maxTokens })));
  return { provider: "transformers", model: `${name}@${digest}`, dimensions, normalised: true, documentTask: documentPrefix || null, queryTask: queryPrefix || null };
}
