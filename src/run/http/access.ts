import { readApiKeys } from "../../config/api-key.ts";
import { TwelveError } from "../../core/errors.ts";
import type { ServerSettings } from "../../manifest/server.ts";
import { referencesIn } from "../../manifest/setting.ts";
import type { Environment } from "../../ports/context.ts";
import { type KeyRing, openKeyRing, type TakeRequest } from "./key.ts";
import { isLoopback } from "./own-host.ts";

/** Whom a server lets in, and how much of them. */
export interface Access {
  /** null: whoever can reach it. */
  readonly keys: KeyRing | null;
  readonly origins: readonly string[];
  /** Whether a request must name this machine: without keys, on an address that only this machine reaches. */
  readonly isHostChecked: boolean;
  readonly bodyBytes: number;
  readonly answerMs: number;
}

export interface AccessOptions {
  /** The address that is listened on. */
  readonly host: string;
  /** Whoever started it knows that there are no keys. */
  readonly isInsecure: boolean;
  /** The process environment. */
  readonly env: Environment;
  readonly nowMs: () => number;
  readonly takeRequest?: TakeRequest | undefined;
}

/** What the release declares, with the keys that the environment holds. Fails with CONFIG_INVALID for keys that cannot be used, and with HOST_UNGUARDED. */
export function readAccess({ keys: reference, origins = [], bodyMb, requestSeconds }: ServerSettings, secrets: Environment, { host, isInsecure, env, nowMs, takeRequest }: AccessOptions): Access {
  const secret = referencesIn(reference)[0]?.key;
  const text = secret === undefined ? undefined : secrets[secret];
  const keys = secret === undefined || text === undefined ? null : openKeyRing(readApiKeys(text, secret), { instances: readInstances(env), nowMs, takeRequest });
  const isOwn = isLoopback(host);
  if (keys === null && !isOwn && !isInsecure) {
    throw new TwelveError("HOST_UNGUARDED", `Everyone who can reach ${host} could use the server: ${secret === undefined ? "the release declares no API keys" : `${secret} is not set`}`, secret === undefined ? {} : {
      fix: `Put the record that \`twelve admin key --name <name>\` makes into ${secret}. Behind a proxy that asks for keys itself, add \`--insecure\``,
    });
  }
  return { keys, origins, isHostChecked: keys === null && isOwn && !isInsecure, bodyBytes: Math.round(bodyMb * 1024 * 1024), answerMs: requestSeconds * 1000 };
}

/** How many machines or containers take the requests of one service; whoever starts several says so. */
function readInstances({ TWELVE_INSTANCES: text = "" }: Environment): number {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 1;
}
