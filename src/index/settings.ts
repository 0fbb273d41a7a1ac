import { normalize } from "node:path";
import { readSecrets, resolveFor } from "../config/read.ts";
import { parseSets } from "../config/set.ts";
import { keysOfIndex, resolvedIndexes } from "../config/settings.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { readManifest } from "../manifest/read.ts";
import type { IndexSettings, Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";

export interface IndexRequest {
  readonly name?: string | undefined;
  readonly source: readonly string[];
  readonly env: string;
  readonly set: readonly string[];
}

export interface RequestedIndex {
  readonly app: string;
  readonly name: string;
  readonly settings: IndexSettings;
  /** Whether `--source` names others than the manifest does. */
  readonly isOtherSource: boolean;
  /** Values of the keys that the manifest declares as secrets, as far as the environment has them. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** The index that is meant, with every `${KEY}` replaced. Fails with INDEX_UNKNOWN, USAGE_INVALID or as `resolveFor` does. */
export async function readSettings(context: Context, { name: wanted, source, env, set }: IndexRequest): Promise<RequestedIndex> {
  const manifest = await readManifest(context.dir);
  const sets = parseSets(set, manifest);
  const name = chooseIndex(manifest, wanted);
  // Only the keys of this index: documents can be indexed where the model's key is not set.
  const only = keysOfIndex(manifest, name);
  const [values, secrets] = await Promise.all([resolveFor(context, manifest, { environment: env, sets, only }), readSecrets(context, manifest, env)]);
  const settings = resolvedIndexes(manifest, values, [name])[name];
  if (settings === undefined) throw new Error(`Index ${name} was not resolved`);
  const isOtherSource = source.length > 0 && placesOf(source) !== placesOf(settings.source);
  return { app: manifest.name, name, secrets, settings: source.length === 0 ? settings : { ...settings, source: [...source] }, isOtherSource };
}

/** `docs/` and `./docs` are `docs`. */
function placesOf(sources: readonly string[]): string {
  const places = sources.map((source) => (/^[a-z0-9+]{2,}:/i.test(source) ? source : normalize(source)).replace(/(?<=[^/\\:])[/\\]+$/, ""));
  return JSON.stringify([...new Set(places)].toSorted());
}

function chooseIndex({ indexes }: Manifest, wanted: string | undefined): string {
  const names = Object.keys(indexes);
  const [first] = names;
  if (first === undefined) {
    const fix = "Add to twelve.yaml:\n\nindexes:\n  docs: { source: [docs] }\n";
    throw new TwelveError("INDEX_UNKNOWN", `twelve.yaml declares no index${wanted === undefined ? "" : ` "${wanted}"`}`, { fix });
  }
  if (wanted === undefined) {
    if (names.length === 1) return first;
    throw new TwelveError("USAGE_INVALID", `twelve.yaml declares ${names.length} indexes: ${names.join(", ")}`, { fix: `Name one of them, for example \`twelve index ${first}\`` });
  }
  if (Object.hasOwn(indexes, wanted)) return wanted;
  throw new TwelveError("INDEX_UNKNOWN", `There is no index "${wanted}".${didYouMean(wanted, names)} Declared: ${names.join(", ")}`);
}
