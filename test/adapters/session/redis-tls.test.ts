import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { execaNode } from "execa";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { type Certificate, makeCertificate, withoutOpenssl } from "../../helpers/certificate.ts";
import { listening } from "../../helpers/listen.ts";
import { type RedisServer, startRedis, withoutRedis } from "../../helpers/redis.ts";

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;

/** What a process says that trusts the authorities which every machine trusts, and none of the test's. */
async function failureOf(url: string): Promise<unknown> {
  const store = await openSessions(url, { dir: "/", env: {} });
  onTestFinished(() => store.close());
  return store.append({ user: "u", session: "s" }, [entry], { expected: 0 }).then(() => undefined, (error: unknown) => error);
}

/** What a process says that also trusts the authority. */
async function said(url: string, authority: string): Promise<unknown> {
  const { stdout } = await execaNode(new URL("append-once.ts", import.meta.url), [url], { env: { NODE_EXTRA_CA_CERTS: authority }, timeout: 30_000 });
  return JSON.parse(stdout);
}

describe.skipIf(withoutRedis || withoutOpenssl)("redis sessions over TLS (needs redis-server and openssl)", () => {
  let certificate: Certificate;
  let server: RedisServer;
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "twelve-certificate-"));
    certificate = await makeCertificate(folder);
    server = await startRedis(certificate);
    return async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    };
  });

  it("are kept by a server whose authority NODE_EXTRA_CA_CERTS names", async () => {
    expect(await said(`rediss://localhost:${server.tlsPort}`, certificate.authority)).toEqual([{ role: "user", content: "over TLS", at: "2026-11-24T10:00:00.000Z" }]);
    expect(await server.client.dbsize()).toBe(3);
    await server.client.flushall();
  });

  it("are refused to a server that nobody vouches for, with what to do", async () => {
    expect(await failureOf(`rediss://localhost:${server.tlsPort}`)).toMatchObject({
      code: "SERVICE_FAILED", retry: undefined, message: expect.stringMatching(/^rediss:\/\/localhost:\d+ has a certificate that is not trusted: self-signed certificate/) as string, fix: expect.stringContaining("NODE_EXTRA_CA_CERTS") as string,
    });
    expect(await server.client.dbsize()).toBe(0);
  });

  it("are refused to a server whose certificate is another host's", async () => {
    expect(await said(`rediss://127.0.0.1:${server.tlsPort}`, certificate.authority)).toMatchObject({ code: "SERVICE_FAILED", message: expect.stringMatching(/certificate that is not trusted: .*127\.0\.0\.1 is not in the cert's list/) as string });
    expect(await server.client.dbsize()).toBe(0);
  });

  it("are refused by a server that asks for a certificate of its clients, with what to do", async () => {
    await server.client.config("SET", "tls-auth-clients", "yes");
    onTestFinished(async () => void (await server.client.config("SET", "tls-auth-clients", "no")));
    // What the server says first, or the break after it: whichever comes before.
    expect(await said(`rediss://localhost:${server.tlsPort}`, certificate.authority)).toMatchObject({ code: expect.stringMatching(/^SERVICE_(FAILED|CUT)$/) as string, fix: expect.stringContaining("tls-auth-clients no") as string });
  });

  it("ask for the host by its name, which tells several servers behind one address apart", async () => {
    const names: string[] = [];
    const [key, cert] = await Promise.all([readFile(certificate.key), readFile(certificate.certificate)]);
    const port = await listening(createServer({ key, cert, SNICallback: (name, answer) => {
      names.push(name);
      answer(null);
    } }));
    await failureOf(`rediss://localhost:${port}`);
    expect(new Set(names)).toEqual(new Set(["localhost"]));
    names.length = 0;
    // An address is no name, and the protocol has no place for it.
    await failureOf(`rediss://127.0.0.1:${port}`);
    expect(names).toEqual([]);
  });

  it("say that a server expects TLS where the URL does not say so", async () => {
    expect(await failureOf(`redis://localhost:${server.tlsPort}`)).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null }, fix: expect.stringContaining("rediss://") as string });
  });
});

describe("redis sessions over TLS when the server has none", () => {
  it("say so, and send nothing in plain text, however often they try", async () => {
    const sent: Buffer[] = [];
    const port = await listening(createPlainServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        sent.push(bytes);
        socket.end("-ERR unknown command\r\n");
      });
    }));
    expect(await failureOf(`rediss://me:not-the-secret@127.0.0.1:${port}`)).toMatchObject({ code: "SERVICE_FAILED", retry: undefined, message: expect.stringMatching(/does not answer in TLS: wrong version number$/) as string, fix: expect.stringContaining("redis://") as string });
    await expect.poll(() => sent.length, { timeout: 20_000 }).toBeGreaterThan(2);
    // The first byte of a handshake.
    expect(sent.map((bytes) => bytes[0])).toEqual(sent.map(() => 0x16));
    expect(Buffer.concat(sent).toString("latin1")).not.toContain("not-the-secret");
  });
});
