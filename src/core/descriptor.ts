import { hash } from "node:crypto";
import { z } from "zod";

/** `sha256:` and 64 lower-case hex digits, as in the OCI image specification. */
export const Digest = z
  .templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)])
  .meta({ description: "SHA-256 of the content, as sha256:<64 hex digits>" });
export type Digest = z.infer<typeof Digest>;

/** Names one blob: what it is, what it must hash to, and how many bytes it has. */
export const Descriptor = z.strictObject({
  mediaType: z.string().meta({ description: "Media type of the content" }),
  digest: Digest,
  size: z.int().nonnegative().meta({ description: "Size of the content in bytes" }),
});
export type Descriptor = z.infer<typeof Descriptor>;

export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", content)}`;
}

/** The 64 hex digits alone, for file names and ref names. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** At least four hex digits, with or without `sha256:`, name an artifact by the beginning of its digest; fewer are more likely a slip. */
export function digestPrefix(text: string): string | undefined {
  return /^(?:sha256:)?([0-9a-f]{4,64})$/i.exec(text)?.[1]?.toLowerCase();
}

/** Twelve hex digits are enough for a person to tell two artifacts apart. */
export function shortDigest(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}
