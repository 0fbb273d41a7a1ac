import { TwelveError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { hasCredentials, withoutCredentials } from "../../core/url.ts";

/** What stands behind the question mark of a service's reference, each name once. */
export type Options = Readonly<Record<string, string>>;

/** What stands before the question mark of a reference, and what behind it. */
export function splitQuery(reference: string): readonly [place: string, query: string] {
  const mark = reference.indexOf("?");
  return mark < 0 ? [reference, ""] : [reference.slice(0, mark), reference.slice(mark + 1)];
}

/** A reference without these options, which make no other place of it; all else stays as it was written. */
export function withoutOptions(reference: string, names: readonly string[]): string {
  const [place, query] = splitQuery(reference);
  const kept = query.split("&").filter((option) => option !== "" && !names.includes(option.split("=", 1)[0] ?? ""));
  return kept.length === 0 ? place : `${place}?${kept.join("&")}`;
}

/** The options of a reference. Fails with SERVICE_UNSUPPORTED for one that is unknown, empty or given twice. */
export function readOptions(query: string, reference: string, allowed: readonly string[]): Options {
  const given = [...new URLSearchParams(query)];
  for (const [index, [name, value]] of given.entries()) {
    if (!allowed.includes(name)) {
      throw unusable(reference, `has the unknown option "${name}".${didYouMean(name, allowed)} Allowed: ${allowed.join(", ")}`);
    }
    if (value === "") throw unusable(reference, `gives the option "${name}" no value`);
    if (given.findIndex(([other]) => other === name) !== index) throw unusable(reference, `gives the option "${name}" twice`);
  }
  return Object.fromEntries(given);
}

/** A whole number of `least` or more; undefined where the option is not given. Fails with SERVICE_UNSUPPORTED. */
export function readCount(options: Options, name: string, { reference, least, most }: { readonly reference: string; readonly least: number; readonly most: number }): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
  if (count >= least && count <= most) return count;
  throw unusable(reference, `gives ${name} as "${text}"; expected a whole number from ${least} to ${most}`);
}

/** One of the choices; undefined where the option is not given. Fails with SERVICE_UNSUPPORTED. */
export function readChoice<Choice extends string>(options: Options, name: string, { reference, choices }: { readonly reference: string; readonly choices: readonly Choice[] }): Choice | undefined {
  const given = options[name];
  const choice = choices.find((known) => known === given);
  if (given !== undefined && choice === undefined) throw unusable(reference, `gives ${name} as "${given}"; expected ${choices.join(" or ")}`);
  return choice;
}

const longestTimeoutMs = 3_600_000;

export function readTimeoutMs(options: Options, reference: string): number | undefined {
  return readCount(options, "timeoutMs", { reference, least: 1, most: longestTimeoutMs });
}

/** A reference that holds a user name, a password or a key would end up in a release. Fails with SERVICE_UNSUPPORTED. */
export function refuseCredentials(reference: string, keyName: string): void {
  if (!hasCredentials(reference)) return;
  throw new TwelveError("SERVICE_UNSUPPORTED", `The reference ${withoutCredentials(reference)} holds credentials, and references are stored in releases`, {
    fix: `Take them out of it, and put the key into ${keyName}`,
  });
}

export function unusable(reference: string, reason: string, fix?: string): TwelveError {
  const name = withoutCredentials(reference);
  return new TwelveError("SERVICE_UNSUPPORTED", `${name} ${reason}`, { fix: fix ?? "Correct the reference in twelve.yaml, or the configuration key that gives it" });
}
