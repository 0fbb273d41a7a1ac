import { TwelveError } from "../core/errors.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import { type ActivatedUrl, type Attachment, readActivatedUrl } from "./activated.ts";
import type { Pins } from "./provided.ts";
import { environmentOf, resolveFor } from "./read.ts";

/** The configuration key whose value is the URL of the state service. */
export const stateKey = "STATE_URL";
const embedded = "pglite:.twelve/state";

/** Where queues and other state are kept: the attachment STATE_URL, else the variable of that name, else embedded in the application's folder. */
export async function readStateUrl(context: Pick<Context, "env" | "openConfig">, manifest: Manifest, environment: string, pins?: Pins): Promise<string> {
  environmentOf(manifest, environment);
  if (!Object.hasOwn(manifest.config, stateKey)) return durable(context.env[stateKey] || embedded);
  const { value } = (await resolveFor(context, manifest, { environment, only: [stateKey], ...(pins === undefined ? {} : { pins }) }))[stateKey] ?? {};
  return typeof value === "string" && value !== "" ? durable(value) : embedded;
}

/** What a mock keeps in its own process is no state of an application. */
function durable(url: string): string {
  if (!url.startsWith("memory:")) return url;
  throw new TwelveError("CONFIG_INVALID", `${stateKey} is ${url}, which is lost with its process`, { fix: `Set ${stateKey} to a service, such as ${embedded}` });
}

/** Where a process of a release keeps its state: the activation decides which service, and the environment gives the credentials. */
export async function readActivatedStateUrl(
  context: Pick<Context, "env" | "openConfig">,
  manifest: Manifest,
  { environment, attachments }: { readonly environment: string; readonly attachments: Readonly<Record<string, Attachment>> },
): Promise<ActivatedUrl> {
  const read = (pins?: Pins): Promise<string> => readStateUrl(context, manifest, environment, pins);
  return readActivatedUrl(stateKey, attachments[stateKey] ?? { url: null }, await read(), read);
}
