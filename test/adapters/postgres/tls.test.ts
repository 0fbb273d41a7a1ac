import { execFile } from "node:child_process";
import { chown } from "node:fs/promises";
import { dirname } from "node:path";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/session/postgres/adapter.ts";
import { makeCertificate, withoutOpenssl } from "../../helpers/certificate.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { startPostgres, withoutPostgres } from "../../helpers/postgres.ts";

const run = promisify(execFile);

it.skipIf(withoutPostgres || withoutOpenssl)("looks at what answers, and leaves TLS to the driver (needs Postgres and openssl)", { timeout: 60_000 }, async () => {
  const { authority, certificate, key } = await makeCertificate(await temporaryFolder());
  // A server that root starts runs as the user of the package.
  if (userInfo().uid === 0) {
    const uid = Number((await run("id", ["-u", "postgres"])).stdout);
    for (const path of [dirname(key), certificate, key]) await chown(path, uid, -1);
  }
  const server = await startPostgres({ settings: `-c ssl=on -c ssl_cert_file=${certificate} -c ssl_key_file=${key}` });
  onTestFinished(() => server.stop());
  const url = (await server.createDatabase()).replace("127.0.0.1", "localhost");
  const answerOf = async (query: string): Promise<unknown> => {
    const store = await openSessions(`${url}?${query}`, "/");
    onTestFinished(() => store.close());
    return store.check().catch((error: unknown) => error);
  };
  expect(await answerOf(`sslmode=verify-full&sslrootcert=${authority}`)).toMatchObject({ version: expect.stringMatching(/^\d+/) as string });
  expect(await answerOf("sslmode=verify-full")).toMatchObject({ code: "SERVICE_FAILED", retry: undefined, fix: expect.stringContaining("certificate") as string });
});
