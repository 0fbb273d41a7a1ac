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

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Whole numbers, by name. */
  readonly attributes?: Readonly<Record<string, number>>;
}

function node(field: number, { operator, inputs, output, attributes = {} }: Node): Field {
  const integerAttribute = 2;
  const given = Object.entries(attributes).map(([name, value]) => message(5, text(1, name), integer(3, value), integer(20, integerAttribute)));
  return message(field, ...inputs.map((name) => text(1, name)), text(2, output), text(4, operator), ...given);
}

function floats(name: string, rows: readonly (readonly number[])[]): Field {
  const numbers = Buffer.from(Float32Array.from(rows.flat()).buffer);
  return message(5, integer(1, rows.length), integer(1, rows[0]?.length ?? 0), integer(2, float32), text(8, name), bytes(9, numbers));
}

function integers(name: string, values: readonly number[]): Field {
  const numbers = Buffer.from(BigInt64Array.from(values, BigInt).buffer);
  return message(5, integer(1, values.length), integer(2, int64), text(8, name), bytes(9, numbers));
}

function model(name: string, fields: readonly Field[]): Uint8Array {
  return Buffer.concat([integer(1, 8), message(7, ...fields, text(2, name)), message(8, integer(2, 13))]);
}

const inputs = (...names: readonly string[]): readonly Field[] => names.map((name) => valueInfo(11, name, int64, ["batch", "sequence"]));

/**
 * A model that gives each token the row of `table` at its number: `last_hidden_state = Gather(table, input_ids)`. It
 * takes an attention mask, as real encoders do, and has no use for it.
 */
export function onnxLookup(table: readonly (readonly number[])[]): Uint8Array {
  const dimensions = table[0]?.length ?? 0;
  return model("lookup", [
    node(1, { operator: "Gather", inputs: ["table", "input_ids"], output: "last_hidden_state" }),
    floats("table", table),
    ...inputs("input_ids", "attention_mask"),
    valueInfo(12, "last_hidden_state", float32, ["batch", "sequence", dimensions]),
  ]);
}

/**
 * A model that scores a pair of texts by the words they share: each token has a row of its own in `table`, the rows of either
 * text are summed, and what both sums have is weighed: `logits = Min(sum of the first, sum of the second) x weights + bias`.
 */
export function onnxOverlap(weights: readonly number[], bias: number): Uint8Array {
  const table = weights.map((_, row) => weights.map((__, column) => (row === column ? 1 : 0)));
  return model("overlap", [
    node(1, { operator: "Gather", inputs: ["table", "input_ids"], output: "rows" }),
    node(1, { operator: "Cast", inputs: ["token_type_ids"], output: "types", attributes: { to: float32 } }),
    node(1, { operator: "Unsqueeze", inputs: ["types", "last_axis"], output: "isSecond" }),
    node(1, { operator: "Mul", inputs: ["rows", "isSecond"], output: "second" }),
    node(1, { operator: "Sub", inputs: ["rows", "second"], output: "first" }),
    node(1, { operator: "ReduceSum", inputs: ["first", "token_axis"], output: "firstSum", attributes: { keepdims: 0 } }),
    node(1, { operator: "ReduceSum", inputs: ["second", "token_axis"], output: "secondSum", attributes: { keepdims: 0 } }),
    node(1, { operator: "Min", inputs: ["firstSum", "secondSum"], output: "shared" }),
    node(1, { operator: "MatMul", inputs: ["shared", "weights"], output: "weighed" }),
    node(1, { operator: "Add", inputs: ["weighed", "bias"], output: "logits" }),
    floats("table", table), floats("weights", weights.map((weight) => [weight])), floats("bias", [[bias]]), integers("last_axis", [2]), integers("token_axis", [1]),
    ...inputs("input_ids", "attention_mask", "token_type_ids"),
    valueInfo(12, "logits", float32, ["batch", 1]),
  ]);
}
