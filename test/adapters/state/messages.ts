/** Messages as a Postgres client writes them. */
export function message(type: string, ...content: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** A message without a type, with which a session begins. */
export function opening(code: number, content = ""): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(8 + Buffer.byteLength(content), 0);
  bytes.writeInt32BE(code, 4);
  return Buffer.concat([bytes, Buffer.from(content)]);
}

export const start: Buffer = opening(196608, "user\0postgres\0\0");
/** What the backend ends an answer with: `I` idle, `T` in a transaction, `E` in one that failed. */
export const ready = (state: string): Buffer => message("Z", state);
