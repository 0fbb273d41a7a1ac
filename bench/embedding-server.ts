/**
 * A mock embedding service as a process of its own: `node bench/embedding-server.ts [delay in ms] [dimensions]`. Prints
 * `{"url":"http://127.0.0.1:…/v1"}` when it listens, and ends on SIGTERM. Its vectors cost nothing, so that what is measured is the
 * client; `GET /stats` beside /v1 gives `{"requests":…,"texts":…}` since then.
 */
import { startEmbeddingServer } from "../test/helpers/embedding-server.ts";

const [delayMs = 50, dimensions = 256] = process.argv.slice(2).map(Number);
const server = await startEmbeddingServer({ delayMs, dimensions, vectors: "cheap" });
await warmUp();
process.stdout.write(`${JSON.stringify({ url: server.baseUrl })}\n`);

/** Writes the pool of vectors once, in both forms, before anyone waits for it. */
async function warmUp(): Promise<void> {
  for (const encoding_format of ["float", "base64"]) {
    const body = JSON.stringify({ model: "warm-up", input: Array.from({ length: 2048 }, (_, i) => `warm up ${i}`), encoding_format });
    await (await fetch(`${server.baseUrl}/embeddings`, { method: "POST", body })).arrayBuffer();
  }
}
