/** Writes the few fields of the ONNX format (protocol buffers) that a graph of one operator needs. */

type Field = Uint8Array;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function integer(field: number, value: number): Field {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

function bytes(field: number, content: Uint8Array): Field {
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
}

function text(field: number, content: string): Field {
  return bytes(field, Buffer.from(content));
}

function message(field: number, ...fields: readonly Field[]): Field {
  return bytes(field, Buffer.concat(fields));
}

const float32 = 1;
const int64 = 7;

function valueInfo(field: number, name: string, type: number, dims: readonly (number | string)[]): Field {
  const shape = dims.map((dim) => message(1, typeof dim === "number" ? integer(1, dim) : text(2, dim)));
  return message(field, text(1, name), message(2, message(1, integer(1, type), message(2, ...shape))));
}

/**
 * A model that gives each token the row of `table` at its number: `last_hidden_state = Gather(table, input_ids)`. It
 * takes an attention mask, as real encoders do, and has no use for it.
 */
export function onnxLookup(table: readonly (readonly number[])[]): Uint8Array {
  const dimensions = table[0]?.length ?? 0;
  const numbers = Buffer.from(Float32Array.from(table.flat()).buffer);
  const graph = message(
    7,
    message(1, text(1, "table"), text(1, "input_ids"), text(2, "last_hidden_state"), text(4, "Gather")),
    text(2, "lookup"),
    message(5, integer(1, table.length), integer(1, dimensions), integer(2, float32), text(8, "table"), bytes(9, numbers)),
    valueInfo(11, "input_ids", int64, ["batch", "sequence"]),
    valueInfo(11, "attention_mask", int64, ["batch", "sequence"]),
    valueInfo(12, "last_hidden_state", float32, ["batch", "sequence", dimensions]),
  );
  return Buffer.concat([integer(1, 8), graph, message(8, integer(2, 13))]);
}
