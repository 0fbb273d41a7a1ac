import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, digestPrefix, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { patiently } from "../core/patience.ts";
import { readDocument } from "../artifact/document.ts";
import { checkProbe } from "../index/probe.ts";
import { readIndex, readIndexData } from "../index/read.ts";
import { chunkDefaults, type Index, indexKind } from "../index/schema.ts";
import type { IndexSettings } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";

/** The digest prefix that `--index name=digest` gives each index. Fails with USAGE_INVALID or INDEX_UNKNOWN. */
export function parsePins(given: readonly string[], used: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(given.map((text) => {
    const [, name, digest = ""] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    const prefix = digestPrefix(digest);
    if (name === undefined || prefix === undefined) {
      throw new TwelveError("USAGE_INVALID", `--index ${text}: expected <name>=<digest>`, { fix: "Give the index's name and at least four hex digits of its digest, as `twelve index` prints it" });
    }
    if (!used.includes(name)) throw new TwelveError("INDEX_UNKNOWN", `--index ${name}: no agent of the build searches an index of that name. Searched: ${used.join(", ") || "none"}`);
    return [name, prefix];
  }));
}

/** The pinned or latest index of each name. Fails with INDEX_NOT_FOUND and the command that makes it. */
export async function findIndexes(store: Store, app: string, names: readonly string[], pins: Readonly<Record<string, string>>): Promise<Readonly<Record<string, Descriptor>>> {
  const found = await Promise.all(names.map(async (name) => [name, (await readIndex(store, app, name, pins[name])).descriptor] as const));
  return Object.fromEntries(found);
}

interface IndexQuestion {
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly settings: IndexSettings;
  /** What makes an index that fits. */
  readonly command: string;
  /** Where the embedder's credentials are looked up, besides the process environment. */
  readonly secrets: Environment;
}

/**
 * Refuses an index that the release's configuration would not have made: another embedder, other chunks, or an
 * embedder that gives other vectors under its old name. Fails with INDEX_STALE or EMBEDDER_DRIFTED.
 */
export async function checkIndex(context: Context, store: Store, { name, descriptor, settings, command, secrets }: IndexQuestion): Promise<void> {
  const [index, data, embedder] = await Promise.all([
    readDocument(store, indexKind, descriptor),
    readIndexData(store, descriptor),
    patiently(() => context.openEmbedder(settings.embedder, secrets), context),
  ]);
  const differences = [
    ...(canonicalJson(index.embedder) === canonicalJson(embedder.identity) ? [] : [`its embedder is ${describe(index.embedder)}, the release's is ${describe(embedder.identity)} (${settings.embedder})`]),
    ...chunkDifferences(index, settings),
  ];
  if (differences.length > 0) {
    throw new TwelveError("INDEX_STALE", `Index "${name}" (${shortDigest(descriptor.digest)}) does not fit the configuration: ${differences.join("; ")}`, {
      fix: `Run \`${command}\`, then release again`,
    });
  }
  const cosine = await checkProbe(embedder, await store.blobs.read(data.probe), index.embedder, context);
  context.story.note(`Index "${name}" fits: ${index.chunks.toLocaleString("en-US")} chunks of ${index.documents.toLocaleString("en-US")} documents, embedder ${settings.embedder}, probe ${cosine.toFixed(4)}`);
}

function chunkDifferences({ chunker }: Index, { chunk = {} }: IndexSettings): readonly string[] {
  return (["maxTokens", "overlapTokens"] as const).flatMap((setting) => {
    const wanted = chunk[setting] ?? chunkDefaults[setting];
    return wanted === chunker[setting] ? [] : [`its chunks have ${setting} ${chunker[setting]}, the release wants ${wanted}`];
  });
}

function describe({ provider, model, dimensions }: Index["embedder"]): string {
  return `${provider}:${model} with ${dimensions} dimensions`;
}
