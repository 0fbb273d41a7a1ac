import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";
import { Manifest } from "../manifest/schema.ts";
import { CompiledPrompt } from "../prompt/schema.ts";

export { CodeData, codeDataKind, CodeFile, CodeTree, codeTreeKind } from "../code/schema.ts";

/** One immutable build. Equal inputs give an equal digest on any machine, so no time, path or host is in it. */
export const Build = z
  .strictObject({
    version: z.literal(1),
    app: z.string().meta({ description: "Application name" }),
    source: z.strictObject({
      commit: z.string().nullable().meta({ description: "Git commit; null before the first one" }),
      dirty: z.boolean().meta({ description: "Whether packaged files differ from the commit" }),
    }),
    manifest: Manifest.meta({ description: "The manifest, with `${KEY}` still in place" }),
    manifestDigest: Digest.meta({ description: "Digest of the manifest's canonical JSON" }),
    code: Descriptor.meta({ description: "The CodeTree" }),
    prompts: z.array(CompiledPrompt).meta({ description: "All prompts, sorted by name and variant" }),
    promptPackages: z.array(z.strictObject({ name: z.string(), version: z.string(), digest: Digest })).meta({ description: "Installed packages that prompts came from" }),
    lockfiles: z.array(z.strictObject({ path: z.string(), digest: Digest })).meta({ description: "Dependency lockfiles in the code" }),
    models: z.array(z.string()).meta({ description: "Models and embedders that the manifest and the prompts declare, `${KEY}` in place" }),
  })
  .meta({ title: "Build", description: "Code, prompts and declared models as one immutable artifact" });
export type Build = z.infer<typeof Build>;

export const buildKind = { mediaType: "application/vnd.twelve.build.v1+json", schema: Build } as const;

/** The ref value that finds a build; `latest` has the same form. */
export const BuildPointer = z.strictObject({ build: Descriptor });
export const buildPointerKind = { mediaType: "build pointer", schema: BuildPointer } as const;

/** Something in the repository that goes against a factor of the methodology, without breaking the build. */
export const Finding = z.strictObject({
  factor: z.string().meta({ description: "The factor it concerns, such as II. Dependencies" }),
  file: z.string(),
  message: z.string(),
});
export type Finding = z.infer<typeof Finding>;
