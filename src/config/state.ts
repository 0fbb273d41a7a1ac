import { TwelveError } from "../core/errors.ts";
import { indexQueue, runsQueue } from "../manifest/process.ts";
import type { AgentSettings, Manifest } from "../manifest/schema.ts";
import type { Checkable } from "../ports/check.ts";
import type { Context, Environment } from "../ports/context.ts";
import { type ActivatedUrl, type Attachment, readActivatedUrl } from "./activated.ts";
import type { Pins } from "./provided.ts";
import { environmentOf, resolveFor } from "./read.ts";
import type { ResolvedValues } from "./resolve.ts";

/** The configuration key whose value is the URL of the state service. */
export const stateKey = "STATE_URL";
const embedded = "pglite:.twelve/state";

/** Where queues and other state are kept: the attachment STATE_URL, else the variable of that name, else embedded in the application's folder. */
export async function readStateUrl(context: Pick<Context, "env" | "openConfig">, manifest: Manifest, environment: string, pins?: Pins): Promise<string> {
  environmentOf(manifest, environment);
  const isDeclared = Object.hasOwn(manifest.config, stateKey);
  return stateUrlOf(isDeclared ? await resolveFor(context, manifest, { environment, only: [stateKey], ...(pins === undefined ? {} : { pins }) }) : {}, context.env);
}

/** The same, where the configuration has been resolved already. */
export function stateUrlOf(values: ResolvedValues, env: Environment): string {
  const value = Object.hasOwn(values, stateKey) ? values[stateKey]?.value : env[stateKey];
  return typeof value === "string" && value !== "" ? durable(value) : embedded;
}

export function isEmbedded(url: string): boolean {
  return url.startsWith("pglite:");
}

/** What an application keeps at its state service. */
export type StateUse = "sessions" | "runs" | "jobs";

interface StateUsers {
  readonly agents: Readonly<Record<string, { readonly session: AgentSettings["session"]; readonly tools?: AgentSettings["tools"] }>>;
  readonly processes: Manifest["processes"];
}

export function stateUses({ agents, processes }: StateUsers): readonly StateUse[] {
  const used = Object.values(agents);
  const work = new Set(Object.values(processes).flatMap((process) => ("work" in process ? process.work : [])));
  return [
    ...(used.some(({ session }) => session !== false) ? ["sessions" as const] : []),
    ...(used.some(({ tools }) => tools !== undefined) || work.has(runsQueue) ? ["runs" as const] : []),
    ...(work.has(indexQueue) ? ["jobs" as const] : []),
  ];
}

/** Opens the state service for one of its uses; nothing is connected. Fails with SERVICE_UNSUPPORTED where it is no place for that. */
export async function openState(context: Pick<Context, "openSessions" | "openRuns" | "openQueue">, use: StateUse, url: string, secrets: Environment = {}): Promise<Checkable & { close?(): Promise<void> }> {
  if (use === "sessions") return context.openSessions(url, secrets);
  return use === "runs" ? fitForWork(context.openRuns(url)) : fitForWork(context.openQueue(url));
}

/** Whether the state service is a place for all that is kept there. Nothing is connected. Fails with SERVICE_UNSUPPORTED. */
export async function checkState(context: Parameters<typeof openState>[0], users: StateUsers, url: string): Promise<void> {
  for (const use of stateUses(users)) await (await openState(context, use, url)).close?.();
}

/** Says of a state service that keeps conversations and nothing else which key is to be set, and to what. */
export async function fitForWork<Service>(opening: Promise<Service>): Promise<Service> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof TwelveError) || error.code !== "SERVICE_UNSUPPORTED") throw error;
    throw new TwelveError(error.code, `${stateKey}: ${error.message}`, { cause: error, fix: `Set ${stateKey} to a PostgreSQL (postgres://...), or to ${embedded}: both keep conversations, too` });
  }
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
