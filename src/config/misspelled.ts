import { nearest } from "../core/nearest.ts";
import type { Story } from "../ports/story.ts";
import type { ProvidedConfig } from "./resolve.ts";

/** A command resolves its configuration several times, and says this once. */
const told = new WeakMap<Story, Set<string>>();

interface Wanted {
  /** Every key of the manifest. */
  readonly declared: readonly string[];
  /** Those that nothing sets: a default may stand in for what somebody meant to set. */
  readonly missing: readonly string[];
}

/** Warns of names in a configuration source that nobody declares, where one that nothing sets looks much like them. */
export function warnMisspelled(story: Story, provider: ProvidedConfig, { declared, missing }: Wanted): void {
  const known = told.get(story) ?? new Set();
  told.set(story, known);
  for (const name of Object.keys(provider.values).filter((each) => !declared.includes(each))) {
    const meant = nearest(name, missing);
    const message = `${name} in ${provider.places[name]} is no key of twelve.yaml. Did you mean ${meant}?`;
    if (meant === undefined || known.has(message)) continue;
    known.add(message);
    story.warn(message);
  }
}
