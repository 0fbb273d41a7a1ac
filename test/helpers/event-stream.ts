/** Frames of `application/vnd.amazon.eventstream`, as AWS writes them. */
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { fromUtf8, toUtf8 } from "@smithy/util-utf8";

const codec = new EventStreamCodec(toUtf8, fromUtf8);
const text = (value: string): { type: "string"; value: string } => ({ type: "string", value });

/** An event with a JSON payload: the bare member, with the padding that real streams have. */
export function eventFrame(type: string, payload: object): Buffer {
  return frame({ ":message-type": "event", ":event-type": type, ":content-type": "application/json" }, fromUtf8(JSON.stringify({ ...payload, p: "abcdefghij" })));
}

/** An event with a payload of bytes. */
export function bytesFrame(type: string, bytes: Uint8Array): Buffer {
  return frame({ ":message-type": "event", ":event-type": type, ":content-type": "application/octet-stream" }, bytes);
}

/** An exception that the service's model knows, such as `throttlingException`. */
export function exceptionFrame(type: string, payload: object): Buffer {
  return frame({ ":message-type": "exception", ":exception-type": type, ":content-type": "application/json" }, fromUtf8(JSON.stringify(payload)));
}

/** An error that it does not know. */
export function errorFrame(code: string, message: string): Buffer {
  return frame({ ":message-type": "error", ":error-code": code, ":error-message": message }, new Uint8Array());
}

function frame(headers: Readonly<Record<string, string>>, body: Uint8Array): Buffer {
  return Buffer.from(codec.encode({ headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, text(value)])), body }));
}

/** The same bytes in pieces of odd sizes: frames are cut in the middle, and several come at once. */
export function piecesOf(frames: readonly Buffer[]): readonly Buffer[] {
  const whole = Buffer.concat(frames);
  const sizes = [7, 1, 640, 33, 5, 900];
  const pieces: Buffer[] = [];
  for (let start = 0; start < whole.length; ) {
    const size = sizes[pieces.length % sizes.length] ?? 1;
    pieces.push(whole.subarray(start, start + size));
    start += size;
  }
  return pieces;
}
