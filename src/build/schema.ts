import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";
import { Manifest } from "../manifest/schema.ts";
import { CompiledPrompt } from "../prompt/schema.ts";

export const CodeFile = z.strictObject({
  path: z.string().meta({ description: "Path below the application folder, with forward slashes" }),
  mode: z.enum(["file", "executable", "symlink"]),
  size: z.int().nonnegative(),
  digest: Digest.meta({ description: "Digest of the content; of the target path for a symlink" }),
});
export type CodeFile = z.infer<typeof CodeFile>;

/** The packaged files, sorted by path. Its digest is the identity of the code. */
export const CodeTree = z.strictObject({ version: z.literal(1), files: z.array(CodeFile) });
export type CodeTree = z.infer<typeof CodeTree>;

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
export const codeTreeKind = { mediaType: "application/vnd.twelve.code-tree.v1+json", schema: CodeTree } as const;

/** The ref value that finds a build; `latest` has the same form. */
export const BuildPointer = z.strictObject({ build: Descriptor });
export const buildPointerKind = { mediaType: "build pointer", schema: BuildPointer } as const;

/** The tar archives that together hold a code tree's files; a later archive replaces files of an earlier one. */
export const CodeData = z.strictObject({ version: z.literal(1), archives: z.array(Descriptor) });
export const codeDataKind = { mediaType: "code data", schema: CodeData } as const;

/** Something in the repository that goes against a factor of the methodology, without breaking the build. */
export const Finding = z.strictObject({
  factor: z.string().meta({ description: "The factor it concerns, such as II. Dependencies" }),
  file: z.string(),
  message: z.string(),
});
export type Finding = z.infer<typeof Finding>;
