import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { twelve, twelveJson } from "../helpers/binary.ts";
import { startBedrockServer } from "../helpers/bedrock-server.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { startEmbeddingServer } from "../helpers/embedding-server.ts";
import type { ServiceServer } from "../helpers/service-server.ts";
import { startTeiServer } from "../helpers/tei-server.ts";

async function app(): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "docs"));
  await writeFile(join(cwd, "twelve.yaml"), 'name: far\nconfig: { EMBEDDER: { default: "hash:64" } }\nindexes: { docs: { source: [docs], embedder: "${EMBEDDER}" } }\n');
  await writeFile(join(cwd, "docs/ports.md"), "# Ports\n\nThe server listens on port 3000.\n");
  return cwd;
}

async function started<Server extends ServiceServer>(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  onTestFinished(() => server.close());
  return server;
}

const openai = async () => {
  const { baseUrl } = await started(startEmbeddingServer({ key: "sk-right-0123456789", dimensions: 1536 }));
  return { reference: "openai:text-embedding-3-small", env: { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: "sk-right-0123456789" } };
};

describe("an embedder over the network, as it is installed", () => {
  it.each([
    ["openai:", openai],
    ["a compatible server", async () => ({ reference: `${(await started(startEmbeddingServer())).baseUrl}#bge-m3`, env: {} })],
    ["tei+http:", async () => ({ reference: `tei+${(await started(startTeiServer())).url}`, env: {} })],
    ["bedrock:", async () => {
      const { url } = await started(startBedrockServer());
      return { reference: "bedrock:cohere.embed-english-v3", env: { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url } };
    }],
  ])("%s answers out of the bundle", async (_, service) => {
    const { reference, env } = await service();
    // The program ends by itself, though the server keeps its connections open.
    expect(await twelveJson(["index"], { cwd: await app(), env: { ...env, EMBEDDER: reference } })).toMatchObject({ documents: 1, embedder: reference });
  });

  it("refuses a wrong key with exit code 6, without showing it", async () => {
    const { reference, env } = await openai();
    const { exitCode, stdout, stderr } = await twelve(["index"], { cwd: await app(), env: { ...env, OPENAI_API_KEY: "sk-wrong-9876543210", EMBEDDER: reference } });
    expect([exitCode, stdout]).toEqual([6, ""]);
    expect(stderr).toMatch(/Error: openai:text-embedding-3-small answered 401: Incorrect API key provided: \[key\]/);
    expect(stderr).toContain("Fix: Check OPENAI_API_KEY");
    expect(stderr).not.toMatch(/sk-wrong|3210/);
  });
});
