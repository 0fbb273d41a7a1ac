import { TwelveError } from "./errors.ts";

const maxNameLength = 512;
const maxSegmentLength = 120;
const maxValueBytes = 64 * 1024;
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Fails with REF_INVALID unless every store can keep a ref under this name. */
export function checkRefName(name: string): void {
  if (name.length > maxNameLength) throw refuse(name, `it has ${name.length} characters, at most ${maxNameLength} are allowed`);
  for (const part of name.split("/")) {
    if (part.length > maxSegmentLength) throw refuse(name, `a part has ${part.length} characters, at most ${maxSegmentLength} are allowed`);
    if (!segment.test(part)) throw refuse(name, `${part === "" ? "an empty part" : JSON.stringify(part)} is not allowed`);
  }
}

/** The same for the start of names: empty, or whole segments and a slash. */
export function checkRefPrefix(prefix: string): void {
  if (prefix === "") return;
  if (!prefix.endsWith("/")) throw refuse(prefix, "a prefix ends in a slash");
  checkRefName(prefix.slice(0, -1));
}

/** Fails with REF_INVALID for a value that is too long, or that UTF-8 cannot hold. */
export function checkRefValue(name: string, value: string): void {
  if (!value.isWellFormed()) throw new TwelveError("REF_INVALID", `The value for ref ${name} has a lone surrogate, which UTF-8 cannot hold`);
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes > maxValueBytes) {
    throw new TwelveError("REF_INVALID", `The value for ref ${name} has ${sizeBytes} bytes, at most ${maxValueBytes} are allowed`);
  }
}

function refuse(name: string, reason: string): TwelveError {
  return new TwelveError("REF_INVALID", `${JSON.stringify(name.slice(0, maxNameLength))} cannot name a ref: ${reason}`);
}
