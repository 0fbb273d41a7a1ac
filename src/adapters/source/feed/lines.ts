/** One line of a feed, where it begins in bytes, and its bytes; undefined when it is longer than allowed. */
export interface Line {
  readonly number: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly bytes: Uint8Array | undefined;
}

const newline = 0x0a;

/** Cuts bytes into lines. Of a line that is too long nothing is held; the last line may lack its line feed. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Line, void> {
  let number = 1;
  let offset = 0;
  let sizeBytes = 0;
  let parts: Uint8Array[] = [];
  const add = (part: Uint8Array): void => {
    sizeBytes += part.length;
    if (sizeBytes > maxLineBytes) parts = [];
    else parts.push(part);
  };
  const line = (): Line => ({ number, offset, sizeBytes, bytes: sizeBytes > maxLineBytes ? undefined : Buffer.concat(parts) });
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield line();
      number += 1;
      offset += sizeBytes + 1;
      sizeBytes = 0;
      parts = [];
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (sizeBytes > 0) yield line();
}
