import type { Context } from "../../ports/context.ts";
import { isLoopback } from "../http/own-host.ts";
import { readReleaseAccess } from "../http/release-access.ts";
import type { ReleaseToRun } from "../named.ts";
import { mayPass } from "../passing.ts";
import type { ProcessType } from "./type-plan.ts";

interface GuardOptions {
  readonly host: string;
  readonly isInsecure: boolean;
  readonly environment: string;
  readonly release: ReleaseToRun;
}

const guarded: ReadonlySet<ProcessType["kind"]> = new Set(["serve", "rerank"]);

/**
 * Refuses, before any process is started, an address at which one of them would refuse to serve: the others would have begun their work
 * by then. Fails with HOST_UNGUARDED, and with CONFIG_INVALID for keys that cannot be used.
 */
export async function guardTypes(context: Context, types: readonly Pick<ProcessType, "kind">[], options: GuardOptions): Promise<void> {
  if (isLoopback(options.host) || options.isInsecure || !types.some(({ kind }) => guarded.has(kind))) return;
  try {
    await readReleaseAccess(context, options);
  } catch (error) {
    // A service that is away is what each process waits for by itself.
    if (!mayPass(error)) throw error;
  }
}
