import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";

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
export const codeTreeKind = { mediaType: "application/vnd.twelve.code-tree.v1+json", schema: CodeTree } as const;

/** The archives that together hold a code tree's files; a later archive replaces files of an earlier one. */
export const CodeData = z.strictObject({
  version: z.literal(1),
  archives: z.array(Descriptor),
  contentBytes: z.int().nonnegative().meta({ description: "Bytes of tar in all archives, before compression" }),
});
export type CodeData = z.infer<typeof CodeData>;
export const codeDataKind = { mediaType: "code data", schema: CodeData } as const;
/** A tar archive, alone or compressed with Zstandard (RFC 8878). */
export const archiveMediaType = "application/x-tar";
export const compressedArchiveMediaType = "application/x-tar+zstd";
