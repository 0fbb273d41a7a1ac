import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Descriptor, digestOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";

/** A kind of artifact: the schema of its document and the media type that names it. */
export interface ArtifactKind<Schema extends z.ZodType = z.ZodType> {
  readonly mediaType: string;
  readonly schema: Schema;
  /** What a person calls it and how it is made again, where that can be said in a line. */
  readonly noun?: string;
  readonly remake?: string;
  /**
   * Whether a parsed document is certainly what the schema asks for. For large ones: the schema copies every object. What this does
   * not recognise, the schema reads, and says what is wrong.
   */
  readonly isPlain?: (value: unknown) => boolean;
}

/** Stores a document as canonical JSON; equal documents get one digest. */
export async function writeDocument<Schema extends z.ZodType>(
  store: Store,
  kind: ArtifactKind<Schema>,
  document: z.output<Schema>,
): Promise<Descriptor> {
  return store.blobs.write(new TextEncoder().encode(canonicalJson(document)), kind.mediaType);
}

/** What `writeDocument` would give, without storing anything. */
export function describeDocument<Schema extends z.ZodType>(kind: ArtifactKind<Schema>, document: z.output<Schema>): Descriptor {
  const bytes = new TextEncoder().encode(canonicalJson(document));
  return { mediaType: kind.mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** Fails with BLOB_NOT_FOUND, BLOB_CORRUPT, or ARTIFACT_INVALID when the document is not of this kind and version. */
export async function readDocument<Schema extends z.ZodType>(
  store: Store,
  kind: ArtifactKind<Schema>,
  blob: Descriptor,
): Promise<z.output<Schema>> {
  return parseDocument(kind, new TextDecoder().decode(await store.blobs.read(blob)), blob.digest);
}

/** Parses the text of a stored document or ref value; `name` says in the error which one it was. */
export function parseDocument<Schema extends z.ZodType>(
  kind: ArtifactKind<Schema>,
  text: string,
  name: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TwelveError("ARTIFACT_INVALID", `${name} is not JSON`, { cause });
  }
  if (kind.isPlain?.(value) === true) return value as z.output<Schema>;
  const result = kind.schema.safeParse(value);
  if (result.success) return result.data;
  const version = typeof value === "object" && value !== null && "version" in value ? value.version : undefined;
  if (typeof version === "number" && result.error.issues.some(({ path }) => path.length === 1 && path[0] === "version")) {
    throw new TwelveError("ARTIFACT_INVALID", `${kind.noun === undefined ? name : `The ${kind.noun} ${name}`} was written in format ${version}, which this version of twelve does not read`, kind.remake === undefined ? {} : { fix: kind.remake });
  }
  throw new TwelveError("ARTIFACT_INVALID", `${name} is not a ${kind.mediaType} that this version reads: ${z.prettifyError(result.error)}`);
}
