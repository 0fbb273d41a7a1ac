import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { TwelveError } from "../core/errors.ts";
import { readBuild } from "../build/read.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import type { Store } from "../ports/store.ts";
import { findArtifact } from "./find.ts";
import { type FoundRelease, listActive } from "./read.ts";
import { releaseKind } from "./schema.ts";
import { describeShown } from "./show-text.ts";
import { Shown } from "./shown.ts";

export default defineCommand({
  input: z.strictObject({
    what: z.string().optional().meta({ description: "A release (v3), an environment, or the beginning of the digest of a release, build or index; the newest release otherwise", positional: true }),
  }),
  output: Shown,
  examples: ["twelve show", "twelve show v3 --json", "twelve show production", "twelve show 3f2a9c"],

  async run({ what }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const found = await findArtifact(store, app, what);
    if (found.kind === "build") return { kind: found.kind, digest: found.digest, document: found.build };
    if (found.kind === "index") return { kind: found.kind, digest: found.digest, document: found.index };
    if (found.kind === "release") return showRelease(store, app, found.found);
    const { environment, history } = found;
    const [current] = history;
    if (current === undefined) throw new TwelveError("RELEASE_NOT_ACTIVE", `${app} has no active release in ${environment}`);
    const document = current.activation;
    const release = await readDocument(store, releaseKind, document.release);
    const { build } = await readBuild(store, app, release.build.digest);
    return {
      kind: found.kind,
      environment,
      number: document.number,
      digest: document.release.digest,
      document,
      source: build.source,
      release,
      history: history.map(({ activation: { number, reason, createdAt, release } }) => ({ number, reason, createdAt, digest: release.digest })),
    };
  },

  render: describeShown,
});

async function showRelease(store: Store, app: string, { number, release, releaseDescriptor, createdAt, message }: FoundRelease): Promise<Shown> {
  const [{ build }, current] = await Promise.all([readBuild(store, app, release.build.digest), listActive(store, app)]);
  const active = current.filter((candidate) => candidate.number === number).map(({ environment }) => environment);
  return { kind: "release", number, digest: releaseDescriptor.digest, createdAt, message: message ?? null, active, source: build.source, document: release };
}
