/**
 * What a client sends until it waits for the backend: a simple query, a batch of the extended protocol up to its Sync, or
 * the start of its session. One backend can serve many clients as long as their turns are never mixed.
 */
export interface Turn {
  readonly kind: "start" | "encryption" | "cancel" | "work" | "end";
  readonly bytes: Buffer;
}

/** Cuts the bytes of one connection into turns, in pieces of any size. */
export interface TurnReader {
  /** Throws a RangeError for bytes that no Postgres client sends. */
  read(bytes: Buffer): readonly Turn[];
}

const maxMessageBytes = 256 * 1024 * 1024;
const protocolVersion = 196608;
const encryptionRequests = new Set([80877103, 80877104]);
const cancelRequest = 80877102;
/** Query, Sync, Flush, FunctionCall: the client waits after them. Parse, Bind, Describe, Execute and Close only fill a batch. */
const endings = "QSHF";
const parts = "PBDEC";

export function openTurnReader(): TurnReader {
  let rest: Buffer = Buffer.alloc(0);
  let batch: Buffer[] = [];
  let isStarted = false;

  function nextStart(): Turn | undefined {
    const size = wholeSize(rest, 0);
    if (size === undefined || rest.length < 8) return undefined;
    const code = rest.readInt32BE(4);
    const kind = code === protocolVersion ? "start" : code === cancelRequest ? "cancel" : encryptionRequests.has(code) ? "encryption" : undefined;
    if (kind === undefined) throw new RangeError(`Unknown protocol version ${code}`);
    isStarted = kind === "start";
    return { kind, bytes: take(size) };
  }

  function nextWork(): Turn | undefined {
    for (;;) {
      const size = wholeSize(rest, 1);
      if (size === undefined) return undefined;
      const type = String.fromCharCode(rest[0] ?? 0);
      if (type === "X") return { kind: "end", bytes: take(size) };
      if (!endings.includes(type) && !parts.includes(type)) throw new RangeError(`Unknown message ${JSON.stringify(type)}`);
      batch.push(take(size));
      if (!endings.includes(type)) continue;
      const bytes = Buffer.concat(batch);
      batch = [];
      return { kind: "work", bytes };
    }
  }

  function take(size: number): Buffer {
    const taken = rest.subarray(0, size);
    rest = rest.subarray(size);
    return taken;
  }

  return {
    read(bytes) {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const turns: Turn[] = [];
      for (;;) {
        const turn = isStarted ? nextWork() : nextStart();
        if (turn === undefined) return turns;
        turns.push(turn);
      }
    },
  };
}

/** Size of the first message with its type byte, once all of it is there. */
function wholeSize(bytes: Buffer, typeBytes: number): number | undefined {
  if (bytes.length < typeBytes + 4) return undefined;
  const size = bytes.readInt32BE(typeBytes);
  if (size < 4 || size > maxMessageBytes) throw new RangeError(`A message of ${size} bytes`);
  return bytes.length < typeBytes + size ? undefined : typeBytes + size;
}

/** How the backend is left after an answer: `idle`, inside a transaction, or waiting for the rest of a batch. */
export function stateAfter(answer: Uint8Array): "idle" | "transaction" | "batch" {
  const end = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).subarray(-6);
  const isReady = end.length === 6 && end[0] === 0x5a && end.readInt32BE(1) === 5;
  if (!isReady) return "batch";
  return end[5] === 0x49 ? "idle" : "transaction";
}

/** A simple query as a client sends it. */
export function queryMessage(text: string): Buffer {
  const content = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write("Q");
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

export const syncMessage: Buffer = Buffer.from([0x53, 0, 0, 0, 4]);

/** Asks for encryption before a session starts, which our server refuses with a single byte. */
export const encryptionMessage: Buffer = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
