import type { ServerResponse } from "node:http";

interface RecordOptions {
  /** More is not kept in memory. */
  readonly mostBytes: number;
  /** Whether a client may take the answer to be complete from this part on: it is held back, and all behind it. */
  readonly isEnd: (text: string) => boolean;
  /** Whether what was held back says that it is. */
  readonly isComplete: (end: string) => boolean;
  /** Told before the response ends; what stands at its end is sent when this is done. Gives what is to be sent instead where that must not be said. */
  readonly onEnd: (recorded: Recorded) => Promise<string | undefined>;
}

export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Undefined where it is larger than may be kept. */
  readonly body: string | undefined;
  readonly isComplete: boolean;
}

/**
 * Records what is written to a response, and holds back its end until the record is made: what a client has seen to be complete
 * is then there for whoever asks again. Gives a function that ends the recording and leaves the response alone.
 */
export function recordResponse(response: ServerResponse, { mostBytes, isEnd, isComplete, onEnd }: RecordOptions): () => void {
  const writeHead = response.writeHead.bind(response) as Passing<ServerResponse>;
  const write = response.write.bind(response) as Passing<boolean>;
  const parts: string[] = [];
  let bytes = 0;
  let headers: Readonly<Record<string, unknown>> = {};
  /** Where the end begins. */
  let held: number | undefined;

  function leave(): void {
    for (const name of ["writeHead", "write", "end"]) Reflect.deleteProperty(response, name);
  }

  function take(chunk: string | Uint8Array): void {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    bytes += Buffer.byteLength(text);
    if (held === undefined && isEnd(text)) held = parts.length;
    // What is held has to be sent, however large it is.
    if (bytes <= mostBytes || held !== undefined) parts.push(text);
  }

  const recording = {
    writeHead(...args: readonly unknown[]) {
      const given = args.at(-1);
      if (typeof given === "object" && given !== null) headers = given as typeof headers;
      return writeHead(...args);
    },
    write(chunk: string | Uint8Array, ...rest: readonly unknown[]) {
      take(chunk);
      return held === undefined ? write(chunk, ...rest) : true;
    },
    end(...args: readonly unknown[]) {
      const [chunk] = args;
      if (typeof chunk === "string" || chunk instanceof Uint8Array) recording.write(chunk);
      leave();
      const tail = held === undefined ? "" : parts.slice(held).join("");
      const onSent = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
      const recorded = { status: response.statusCode, headers: { ...response.getHeaders(), ...headers }, body: bytes > mostBytes ? undefined : parts.join(""), isComplete: isComplete(tail) };
      void onEnd(recorded).then((instead) => response.end(instead ?? tail, onSent));
      return response;
    },
  };
  Object.assign(response, recording);
  return leave;
}

/** Of what is handed on as it came. */
type Passing<Result> = (...args: readonly unknown[]) => Result;
