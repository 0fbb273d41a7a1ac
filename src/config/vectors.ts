import { hasCredentials } from "../core/url.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import { type Attachment, readActivatedUrl } from "./activated.ts";
import type { Pins } from "./provided.ts";
import { inspectConfig, resolveFor } from "./read.ts";
import type { ResolvedValues } from "./resolve.ts";

type Attachments = Readonly<Record<string, Attachment>>;

/** The key of `vectors: "${KEY}"`; undefined for an index that is always searched in the embedded engine. */
export function vectorsKey({ indexes }: Pick<Manifest, "indexes">, index: string): string | undefined {
  return Object.hasOwn(indexes, index) ? /^\$\{(.*)\}$/.exec(indexes[index]?.vectors ?? "")?.[1] : undefined;
}

/** An attachment that says no more than `lance:` means the embedded engine. */
export function publishedUrl(url: string | null | undefined): string | undefined {
  return url === null || url === undefined || /^(?:lance:)?\s*$/.test(url) ? undefined : url;
}

/** A vector service with the credentials that the environment holds, and the environment. */
export interface AttachedUrl {
  readonly url: string;
  readonly environment: string;
  /** What to do where the service asks for credentials: set where the environment names another one by now, or none, and so gives none. */
  readonly missing?: string;
}

/** Where each of these indexes is searched in an environment that has these values; those in the embedded engine are left out. */
export function attachedUrls(manifest: Manifest, names: readonly string[], { environment, values }: { readonly environment: string; readonly values: ResolvedValues }): Readonly<Record<string, AttachedUrl>> {
  return Object.fromEntries(names.flatMap((name) => {
    const url = publishedUrl(values[vectorsKey(manifest, name) ?? ""]?.value?.toString());
    return url === undefined ? [] : [[name, { url, environment }] as const];
  }));
}

interface Where {
  readonly environment: string;
  /** Those of the activation; without them the environment's of now are taken. */
  readonly attachments?: Attachments | undefined;
}

/**
 * Where each of these indexes is searched, with the credentials that the environment holds; those in the embedded engine are left out.
 * An activation decides which service it is.
 */
export async function readVectorUrls(context: Pick<Context, "env" | "openConfig" | "story">, manifest: Manifest, names: readonly string[], { environment, attachments }: Where): Promise<Readonly<Record<string, AttachedUrl>>> {
  const keyed = names.flatMap((name) => {
    const key = vectorsKey(manifest, name);
    // What was activated without a service stays so, whatever the environment says by now.
    return key === undefined || (attachments !== undefined && publishedUrl(attachments[key]?.url) === undefined) ? [] : [[name, key] as const];
  });
  if (keyed.length === 0) return {};
  const only = keyed.map(([, key]) => key);
  // A process that was given its service by an activation needs the environment for no more than credentials.
  const values = attachments === undefined ? await resolveFor(context, manifest, { environment, only }) : (await inspectConfig(context, manifest, { environment, only })).values;
  const found = await Promise.all(keyed.map(async ([name, key]) => {
    const now = String(values[key]?.value ?? "");
    const then = async (pins: Pins): Promise<string> => String((await inspectConfig(context, manifest, { environment, only: [key], pins })).values[key]?.value ?? "");
    const { url, other } = await readActivatedUrl(key, attachments?.[key] ?? { url: null }, now, then);
    if (other !== undefined && other !== "") context.story.warn(`${key} is ${other} now, but the release was activated with ${url}, and that is where index ${name} is searched. Release or promote again to change it`);
    const published = publishedUrl(url);
    if (published === undefined) return [];
    const lacks = other !== undefined && !hasCredentials(url);
    return [[name, { url: published, environment, ...(lacks ? { missing: missingFix(key, { url, environment, other }) } : {}) }] as const];
  }));
  return Object.fromEntries(found.flat());
}

/** Credentials are taken from the environment's value only where it is the same service. */
function missingFix(key: string, { url, environment, other }: { readonly url: string; readonly environment: string; readonly other: string }): string {
  if (other === "") return `Set ${key} for ${environment} to ${url} with its credentials`;
  return `Unset ${key} (${other}) where the environment has ${url} with its credentials, or set it to that; or move to ${other} with \`twelve release --env ${environment}\``;
}
