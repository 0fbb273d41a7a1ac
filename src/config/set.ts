import { type Problem, TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Manifest } from "../manifest/schema.ts";

/**
 * The values of `--set KEY=VALUE` flags; the last one of a key wins. Fails with USAGE_INVALID for another form, and with
 * CONFIG_UNKNOWN for a key that the manifest does not declare.
 */
export function parseSets(given: readonly string[], { config }: Pick<Manifest, "config">): Readonly<Record<string, string>> {
  const sets: Record<string, string> = {};
  const unknown: Problem[] = [];
  for (const text of given) {
    const equals = text.indexOf("=");
    // Only what stands before the equals sign is repeated: the rest may be a secret given by mistake.
    if (equals < 1) throw new TwelveError("USAGE_INVALID", "--set expects KEY=VALUE", { fix: "Write `--set KEY=VALUE`, with quotes around a value that has spaces" });
    const key = text.slice(0, equals);
    if (Object.hasOwn(config, key)) sets[key] = text.slice(equals + 1);
    else unknown.push({ path: `--set ${key}`, message: `There is no configuration key "${key}".${didYouMean(key, Object.keys(config))} Declared: ${Object.keys(config).join(", ") || "none"}` });
  }
  if (unknown.length > 0) throw new TwelveError("CONFIG_UNKNOWN", "--set names a key that twelve.yaml does not declare", { problems: unknown });
  return sets;
}
