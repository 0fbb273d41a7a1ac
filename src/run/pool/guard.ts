import { readDocument } from "../../artifact/document.ts";
import { buildKind } from "../../build/schema.ts";
import { readSecrets } from "../../config/read.ts";
import type { Context } from "../../ports/context.ts";
import { readAccess } from "../http/access.ts";
import { isLoopback } from "../http/own-host.ts";
import type { ReleaseToRun } from "../named.ts";
import { mayPass } from "../passing.ts";
import { refuseUnguarded } from "../rerank/guard.ts";
import type { ProcessType } from "./type-plan.ts";

interface GuardOptions {
  readonly host: string;
  readonly isInsecure: boolean;
  readonly environment: string;
  readonly release: ReleaseToRun;
}

/**
 * Refuses, before any process is started, an address at which one of them would refuse to serve: the others would have begun their work
 * by then. Fails with HOST_UNGUARDED, and with CONFIG_INVALID for keys that cannot be used.
 */
export async function guardTypes(context: Context, types: readonly Pick<ProcessType, "kind">[], { host, isInsecure, environment, release }: GuardOptions): Promise<void> {
  if (isLoopback(host) || isInsecure) return;
  const kinds = new Set(types.map(({ kind }) => kind));
  if (kinds.has("rerank")) refuseUnguarded({ host, isInsecure });
  if (!kinds.has("serve")) return;
  try {
    const { manifest } = await readDocument(await context.store(), buildKind, release.release.build);
    const secrets = manifest.server.keys === undefined ? {} : await readSecrets(context, manifest, environment, release.activation?.secrets);
    readAccess(manifest.server, secrets, { host, isInsecure, env: context.env, nowMs: () => context.clock.monotonicMs() });
  } catch (error) {
    // A service that is away is what each process waits for by itself.
    if (!mayPass(error)) throw error;
  }
}
