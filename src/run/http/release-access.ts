import { readDocument } from "../../artifact/document.ts";
import { buildKind } from "../../build/schema.ts";
import { readSecrets } from "../../config/read.ts";
import type { Context } from "../../ports/context.ts";
import type { ReleaseToRun } from "../named.ts";
import { type Access, readAccess } from "./access.ts";
import type { TakeRequest } from "./key.ts";

interface Guarding {
  /** The address that is listened on. */
  readonly host: string;
  /** Whoever started it knows that there are no keys. */
  readonly isInsecure: boolean;
  readonly environment: string;
  readonly release: ReleaseToRun;
  readonly takeRequest?: TakeRequest | undefined;
}

/** Whom a server of a release lets in, for who needs nothing else of the release's configuration. Fails as `readAccess` does. */
export async function readReleaseAccess(context: Context, { host, isInsecure, environment, release, takeRequest }: Guarding): Promise<Access> {
  const { manifest } = await readDocument(await context.store(), buildKind, release.release.build);
  const secrets = manifest.server.keys === undefined ? {} : await readSecrets(context, manifest, environment, release.activation?.secrets);
  return readAccess(manifest.server, secrets, { host, isInsecure, env: context.env, nowMs: () => context.clock.monotonicMs(), takeRequest });
}
