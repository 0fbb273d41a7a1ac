import type { ProcessConfig } from "../config/read.ts";
import type { Environment } from "../ports/context.ts";
import { instanceVariable } from "../ports/instance.ts";
import { releaseVariable } from "./common-release.ts";
import { type ReleaseToRun, releaseName } from "./named.ts";

interface Surrounded {
  readonly release: ReleaseToRun;
  /** null outside every environment. */
  readonly environment: string | null;
  readonly config: ProcessConfig;
}

/** A release's configuration as its programs and tools find it in their environment, and which release it is. */
export function releaseEnvironment({ release, environment, config }: Surrounded): Environment {
  return {
    ...Object.fromEntries(Object.entries(release.release.config).map(([key, { value }]) => [key, value === null ? undefined : String(value)])),
    ...config.attachments,
    ...config.secrets,
    // A `twelve` that they start is no instance of this one's parent.
    [instanceVariable]: undefined,
    [releaseVariable]: undefined,
    TWELVE_ENVIRONMENT: environment ?? undefined,
    TWELVE_RELEASE: releaseName(release),
    TWELVE_RELEASE_DIGEST: release.releaseDescriptor.digest,
  };
}
