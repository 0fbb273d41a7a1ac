import { activatedUrl } from "../config/activated.ts";
import { readSecrets, resolveFor } from "../config/read.ts";
import { publishedUrl, readVectorUrls, vectorsKey } from "../config/vectors.ts";
import { TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { VectorService } from "../ports/vectors.ts";

interface Wanted {
  /** Name of the index. */
  readonly name: string;
  readonly env: string;
  /** `--to`; the environment's attachment otherwise. */
  readonly to: string | undefined;
}

/** The vector service that is meant. A URL without credentials that is the environment's own gets them from there. Fails with USAGE_INVALID. */
export async function openPlace(context: Context, manifest: Manifest, { name, env, to }: Wanted): Promise<VectorService> {
  const key = vectorsKey(manifest, name);
  if (to !== undefined && publishedUrl(to) === undefined) throw new TwelveError("USAGE_INVALID", "`--to` names no place: `lance:` alone is the embedded engine", { fix: "Give a URL such as postgres://host/vectors, s3://bucket/prefix or lance:/mnt/vectors" });
  const attached = to === undefined || key === undefined ? undefined : (await resolveFor(context, manifest, { environment: env, only: [key] }))[key]?.value;
  const url = to === undefined ? (await readVectorUrls(context, manifest, [name], { environment: env }))[name]?.url : attachedAs(to, String(attached ?? ""));
  if (url === undefined) throw notAttached(name, env, key);
  return context.openVectorService(url, await readSecrets(context, manifest, env));
}

function attachedAs(to: string, attached: string): string {
  return withoutCredentials(to) === to ? activatedUrl(to, attached).url : to;
}

function notAttached(name: string, env: string, key: string | undefined): TwelveError {
  if (key !== undefined) {
    return new TwelveError("USAGE_INVALID", `${key} attaches no vector service in ${env}: index ${name} is searched in the embedded engine there, and needs no publishing`, { fix: `Set ${key} for ${env}, or name a place with \`--to <url>\`` });
  }
  return new TwelveError("USAGE_INVALID", `Index ${name} has no \`vectors:\` in twelve.yaml, so no environment attaches a vector service for it`, {
    fix: `Name a place with \`--to <url>\`, or add to twelve.yaml:\n\nconfig:\n  VECTORS_URL: { kind: attachment, optional: true }\nindexes:\n  ${name}: { ..., vectors: "\${VECTORS_URL}" }\n`,
  });
}
