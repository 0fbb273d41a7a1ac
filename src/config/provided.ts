import type { ConfigProvider, ConfigReading, SourcedText } from "../ports/config.ts";
import type { Context } from "../ports/context.ts";
import type { ProvidedConfig } from "./resolve.ts";

/** Where an activation says each key was read from; null for one that nothing set. */
export type Pins = Readonly<Record<string, string | null>>;

/**
 * What the environment's sources hold, the first of them that has a key before the others. A key that is pinned to a version is
 * read in that version, also when there is a newer one; the process environment, which is stronger, needs no reading.
 */
export async function readProvided(
  context: Pick<Context, "env" | "openConfig">,
  { config: references = [] }: { readonly config?: string | readonly string[] | undefined },
  pins: Pins = {},
): Promise<ProvidedConfig | undefined> {
  const providers = await Promise.all([references].flat().map((reference) => context.openConfig(reference)));
  if (providers.length === 0) return undefined;
  const reading = providers.map((provider) => provider.read());
  // Of several that fail, the first is told, and always the same one.
  await Promise.allSettled(reading);
  const readings = await Promise.all(reading);
  const found = strongest(readings.map((reading, i) => ({ ...reading, place: providers[i]?.reference ?? "" })));
  const values = Object.fromEntries([...found].flatMap(([name, { text }]) => (text === undefined ? [] : [[name, text]])));
  const wanted = Object.entries(pins).flatMap(([key, source]) => (source === null || context.env[key] || values[key]?.source === source ? [] : [[key, source] as const]));
  const pinned = wanted.length === 0 ? [] : await Promise.all(providers.map((provider) => readPinned(provider, Object.fromEntries(wanted))));
  return {
    reference: providers.map(({ reference }) => reference).join(" or "),
    values: { ...values, ...Object.assign({}, ...pinned) },
    ignored: [...found].flatMap(([name, { text }]) => (text === undefined ? [name] : [])),
    places: Object.fromEntries([...found].map(([name, { place }]) => [name, place])),
  };
}

interface FoundName {
  /** Undefined for a name that gives no key. */
  readonly text: SourcedText | undefined;
  readonly place: string;
}

/** A name that gives no key in a stronger source is not looked up in a weaker one: nobody would see that. */
function strongest(readings: readonly (ConfigReading & { readonly place: string })[]): ReadonlyMap<string, FoundName> {
  const found = new Map<string, FoundName>();
  for (const { values, ignored, place } of readings.toReversed()) {
    for (const name of ignored) found.set(name, { text: undefined, place });
    for (const [name, text] of Object.entries(values)) found.set(name, { text, place });
  }
  return found;
}

async function readPinned(provider: ConfigProvider, sources: Readonly<Record<string, string>>): Promise<ProvidedConfig["values"]> {
  const texts = (await provider.readVersions?.(sources)) ?? {};
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, { text, source: sources[key] ?? provider.reference }]));
}
