import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openService } from "../../../src/adapters/vectors/pinecone/adapter.ts";
import type { VectorService } from "../../../src/ports/vectors.ts";
import { dense, type PineconeServer, sparse, startPinecone } from "../../helpers/pinecone-server.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

const key = "pcsk_0123456789_abcdefghij";
const noWait = async (): Promise<void> => {};

function open({ url }: Pick<PineconeServer, "url">, dir: string, reference = "pinecone://docs"): VectorService {
  return openService(reference, { dir, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: url } }, noWait);
}

describe.each([0, 3])("where %i answers do not know yet what was written", (staleReads) => {
  let server: PineconeServer;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
    server = await startPinecone({ key, staleReads, indexes: [dense("docs", 16), sparse("docs-text")] });
  });
  afterAll(async () => {
    await server.close();
    await rm(dir, { recursive: true });
  });
  describeVectorService("pinecone", () => open(server, dir), { text: "equal" });
});
