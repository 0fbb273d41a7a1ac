import { canonicalJson } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { patiently, type Waiting } from "../core/patience.ts";
import type { Embedder, EmbedderIdentity } from "../ports/embedding.ts";

/**
 * Texts whose vectors tell one embedding model from another: several languages and scripts, code, digits.
 * They must never change: every stored index holds the vectors of exactly these.
 */
export const probeTexts: readonly string[] = [
  "Store configuration in the environment, never in the code.",
  "Wie lange dauert die Lieferung, und was kostet der Versand nach Österreich?",
  "¿Cómo puedo recuperar la contraseña de mi cuenta?",
  "アプリケーションの設定は環境変数に格納する。",
  "应用程序的配置应当存储在环境变量中。",
  "Журнал событий пишется в стандартный поток вывода.",
  "يخزن التطبيق إعداداته في متغيرات البيئة.",
  "const port = Number(process.env.PORT ?? 3000); // listens on 0.0.0.0",
  "Order 4711 of 2024-02-29: 3 x 19.99 EUR = 59.97 EUR, VAT 20 % included",
];

/** Below this cosine the endpoint no longer gives the vectors that an index was made with. */
const probeThreshold = 0.999;

export const probeMediaType = "application/vnd.twelve.probe.v1+float32";

/** The vectors of the probe texts, one after the other, as little-endian 32-bit floats. Asks again where that can help, if somebody waits. */
export async function embedProbe(embedder: Embedder, waiting?: Waiting): Promise<Uint8Array> {
  const vectors = await probeVectors(embedder, waiting);
  const bytes = new DataView(new ArrayBuffer(vectors.length * embedder.identity.dimensions * 4));
  for (const [row, vector] of vectors.entries()) {
    for (const [column, value] of vector.entries()) bytes.setFloat32((row * vector.length + column) * 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}

/**
 * Embeds the probe texts again and gives the lowest cosine to the stored vectors. Fails with EMBEDDER_DRIFTED when
 * the embedder is another one than `indexedBy`, or when it gives other vectors under the same name.
 */
export async function checkProbe(embedder: Embedder, stored: Uint8Array, indexedBy: EmbedderIdentity, waiting?: Waiting): Promise<number> {
  const { identity } = embedder;
  const name = describeEmbedder(identity);
  if (canonicalJson(identity) !== canonicalJson(indexedBy)) {
    throw new TwelveError("EMBEDDER_DRIFTED", `The index was made with ${describeEmbedder(indexedBy)}, but the configured embedder is ${name}`);
  }
  const cosine = lowestCosine(await embedProbe(embedder, waiting), stored, identity.dimensions);
  if (cosine >= probeThreshold) return cosine;
  const measured = `its vectors of ${probeTexts.length} probe texts have cosine ${cosine.toFixed(4)} to the stored ones, below ${probeThreshold}`;
  throw new TwelveError("EMBEDDER_DRIFTED", `The index was made with ${describeEmbedder(indexedBy)}; the configured embedder calls itself ${name}, but ${measured}`);
}

/** Everything that tells two embedders apart, for messages. */
export function describeEmbedder({ provider, model, dimensions, normalised, documentTask, queryTask }: EmbedderIdentity): string {
  const tasks = documentTask === null && queryTask === null ? "" : `, tasks ${documentTask ?? "none"}/${queryTask ?? "none"}`;
  return `${provider}:${model} (${dimensions} dimensions${normalised ? "" : ", not normalised"}${tasks})`;
}

async function probeVectors(embedder: Embedder, waiting: Waiting | undefined): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < probeTexts.length; start += embedder.maxBatch) {
    const ask = (): Promise<readonly Float32Array[]> => embedder.embed(probeTexts.slice(start, start + embedder.maxBatch), "document", waiting?.signal);
    vectors.push(...(await (waiting === undefined ? ask() : patiently(ask, waiting))));
  }
  return vectors;
}

/** Whether two embedders, by the vectors that they gave for the probe texts, are one. */
export function isSameProbe(left: Uint8Array, right: Uint8Array, dimensions: number): boolean {
  return lowestCosine(left, right, dimensions) >= probeThreshold;
}

/** -1, which is below any threshold, where the bytes have another shape or a vector has no direction. */
function lowestCosine(left: Uint8Array, right: Uint8Array, dimensions: number): number {
  const sizeBytes = probeTexts.length * dimensions * 4;
  if (left.byteLength !== sizeBytes || right.byteLength !== sizeBytes) return -1;
  const [one, other] = [left, right].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as [DataView, DataView];
  return Math.min(...probeTexts.map((_, row) => {
    let dot = 0;
    let lengthA = 0;
    let lengthB = 0;
    for (let offset = row * dimensions * 4; offset < (row + 1) * dimensions * 4; offset += 4) {
      const [a, b] = [one.getFloat32(offset, true), other.getFloat32(offset, true)];
      dot += a * b;
      lengthA += a * a;
      lengthB += b * b;
    }
    return lengthA === 0 || lengthB === 0 ? -1 : dot / Math.sqrt(lengthA * lengthB);
  }));
}
