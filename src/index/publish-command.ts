import { z } from "zod";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { countCompared } from "./compare.ts";
import { findNamedIndex } from "./find.ts";
import { openPlace } from "./place.ts";
import { publishInTurn } from "./publish.ts";
import { openIndexData } from "./read.ts";

export default defineCommand({
  description:
    "Loads one version of an index into a namespace of its own at a vector service, beside older versions, and compares what is then there with the ledger: every " +
    "ID, and the text, metadata and vectors of a sample. Only then may a release refer to it. An index that is there already is only compared. " +
    "Killed at any point, nothing is published, and the next run goes on or begins anew.",
  input: z.strictObject({
    index: z.string().optional().meta({ description: "Name, beginning of the digest, or name@digest; the only index otherwise", positional: true }),
    to: z.string().optional().meta({ description: "Vector service, such as postgres://host/vectors or s3://bucket/prefix; what the environment attaches for `vectors:` of the index otherwise", valueName: "url" }),
    env: z.string().default("development").meta({ description: "Environment whose attachment and secrets are used", valueName: "name" }),
    again: z.boolean().default(false).meta({ description: "Load it once more, beside what is there, which stays until `twelve admin gc`" }),
  }),
  output: z.strictObject({
    digest: Digest,
    name: z.string(),
    url: z.string().meta({ description: "The vector service, without credentials" }),
    namespace: z.string(),
    isLoaded: z.boolean().meta({ description: "false when it was there already and was only compared" }),
    chunks: z.int(),
    sampled: z.int().meta({ description: "Chunks whose text, metadata and vector were compared" }),
    durationMs: z.number(),
  }),
  examples: ["twelve index publish docs --env production", "twelve index publish --to s3://acme-vectors/support", "twelve index publish 3f2a9c --env staging --again"],

  async run({ index: wanted, to, env, again }, context) {
    const startMs = context.clock.monotonicMs();
    const manifest = await readManifest(context.dir);
    const store = await context.store();
    const found = await findNamedIndex(store, manifest.name, wanted);
    const { name } = found.index;
    const service = await openPlace(context, manifest, { name, env, to });
    try {
      const { folder, data } = await openIndexData(store, found.descriptor, context.dir);
      const source = await (await context.openVectors(`${data.engine}:`)).open(folder);
      try {
        const { namespace, isLoaded, comparison } = await publishInTurn(context, { ...found, store, source, service, place: { environment: env, to }, isAgain: again });
        return { digest: found.descriptor.digest, name, url: service.url, namespace, isLoaded, chunks: comparison.held, sampled: comparison.sampled, durationMs: context.clock.monotonicMs() - startMs };
      } finally {
        source.close();
      }
    } finally {
      await service.close();
    }
  },

  render({ digest, name, url, namespace, isLoaded, chunks, sampled, durationMs }, { env }) {
    const compared = countCompared({ held: chunks, sampled });
    const what = `Index ${name} ${shortDigest(digest)}`;
    if (!isLoaded) return `${what} is published at ${url} as ${namespace} already, and agrees with its ledger: ${compared}`;
    return `${what} is published at ${url} as ${namespace}: ${compared} with the ledger, in ${(durationMs / 1000).toFixed(1)} s\nNext: \`twelve release --env ${env}\``;
  },
});
