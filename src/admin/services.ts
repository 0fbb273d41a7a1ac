import { inspectConfig, readSecrets } from "../config/read.ts";
import { publishedUrl, vectorsKey } from "../config/vectors.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { VectorService } from "../ports/vectors.ts";

interface Wanted {
  /** Only this environment's; those of all that twelve.yaml declares otherwise. */
  readonly env: string | undefined;
  /** Only this one, with what secrets the environments have. */
  readonly to: string | undefined;
}

/** Every vector service that the environments attach, by its URL without credentials. */
export async function openServices(context: Context, manifest: Manifest, { env, to }: Wanted): Promise<ReadonlyMap<string, VectorService>> {
  const environments = env === undefined ? [...new Set(["development", ...Object.keys(manifest.environments)])] : [env];
  const keys = [...new Set(Object.keys(manifest.indexes).flatMap((name) => vectorsKey(manifest, name) ?? []))];
  const services = new Map<string, VectorService>();
  const open = async (url: string, secrets: Environment): Promise<void> => {
    const service = await context.openVectorService(url, secrets);
    if (services.has(service.url)) await service.close();
    else services.set(service.url, service);
  };
  for (const environment of environments) {
    const read = readAttached(context, manifest, { environment, keys });
    // An environment whose configuration cannot be read from here is one whose services are left alone.
    const { urls, secrets } = await (env === undefined ? read.catch(warned(context, environment)) : read);
    for (const url of urls) await open(url, secrets);
  }
  if (to === undefined) return services;
  const own = await context.openVectorService(to, env === undefined ? {} : await readSecrets(context, manifest, env));
  const attached = services.get(own.url);
  // A URL without credentials that an environment attaches gets them from there.
  for (const [url, service] of services) if (url !== own.url) await service.close();
  if (attached === undefined) return new Map([[own.url, own]]);
  await own.close();
  return new Map([[own.url, attached]]);
}

interface Attached {
  readonly urls: readonly string[];
  readonly secrets: Environment;
}

async function readAttached(context: Context, manifest: Manifest, { environment, keys }: { readonly environment: string; readonly keys: readonly string[] }): Promise<Attached> {
  const { values } = await inspectConfig(context, manifest, { environment, only: keys });
  const urls = keys.flatMap((key) => publishedUrl(typeof values[key]?.value === "string" ? values[key].value : undefined) ?? []);
  return { urls, secrets: urls.length === 0 ? {} : await readSecrets(context, manifest, environment) };
}

function warned({ story }: Context, environment: string): (error: unknown) => Attached {
  return (error) => {
    story.warn(`The configuration of ${environment} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return { urls: [], secrets: {} };
  };
}
