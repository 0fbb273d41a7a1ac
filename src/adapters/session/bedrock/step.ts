import { createHash } from "node:crypto";

/** What stands at the head of each step, before the entries that were appended with it. */
export interface StepHead {
  /** Whoever wrote the step knows it again by this. */
  readonly writer: string;
  /** Of the session, with the entries of this step. */
  readonly version: number;
  /** Of the session, with the entries of this step. */
  readonly bytes: number;
  readonly updatedMs: number;
  readonly expiresMs: number | null;
}

export interface Step {
  readonly head: StepHead;
  readonly texts: readonly string[];
}

/** The steps of Bedrock have no roles: each entry is a text block of its own, as JSON. */
export function writeStep({ head, texts }: Step): readonly string[] {
  return [JSON.stringify(head), ...texts];
}

/** Undefined for what nobody of us wrote. */
export function readStep([head, ...texts]: readonly string[]): Step | undefined {
  try {
    const read = JSON.parse(head ?? "") as StepHead;
    return typeof read.version === "number" && typeof read.writer === "string" ? { head: read, texts } : undefined;
  } catch {
    return undefined;
  }
}

/** The same for whoever wants to write the step at that place, so that two who do meet at one ID. */
export function stepId(part: string, index: number): string {
  return derivedUuid(`step ${part} ${index}`);
}

/** Every step belongs to an invocation; one is enough for all of a part. */
export function invocationId(part: string): string {
  return derivedUuid(`invocation ${part}`);
}

/** A UUID of version 8, whose other bits are our own. */
function derivedUuid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
