import { join } from "node:path";
import { canonicalJson } from "../../../core/canonical-json.ts";
import { digestOf, shortDigest } from "../../../core/descriptor.ts";
import type { LockedModel } from "../../../models/schema.ts";
import type { Embedder, EmbedderIdentity } from "../../../ports/embedding.ts";
import { readPinned } from "../../transformers/pinned.ts";
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
  const locked = await readPinned(dir, folder);
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

/** Whatever changes a vector changes the name: the files, and how they are used. */
function identityOf(folder: string, { files }: LockedModel, { pooling, dtype, maxTokens, dimensions, queryPrefix, documentPrefix }: Settings): EmbedderIdentity {
  const name = folder.split("/").at(-1) ?? folder;
  const digest = shortDigest(digestOf(canonicalJson({ files, pooling, dtype, maxTokens })));
  return { provider: "transformers", model: `${name}@${digest}`, dimensions, normalised: true, documentTask: documentPrefix || null, queryTask: queryPrefix || null };
}
