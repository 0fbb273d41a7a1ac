import { createServer } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../../helpers/postgres.ts";

/** What a user is told who asks for a job there. */
async function failureOf(url: string): Promise<unknown> {
  const queue = await openQueue(url, "/");
  try {
    return await queue.status("job");
  } catch (error) {
    return error;
  } finally {
    await queue.close();
  }
}

describe("a database URL", () => {
  it("names a server that is there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(`postgres://me:secret@127.0.0.1:${port}/twelve`)).toMatchObject({
      code: "SERVICE_UNAVAILABLE", message: `postgres://127.0.0.1:${port}/twelve cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  it("is a URL", async () => {
    await expect(openQueue("postgres://me:se/cret@:x", "/")).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.not.stringContaining("cret") });
  });
});

describe.skipIf(withoutPostgres)("a real server (needs Postgres)", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
    return () => server.stop();
  });

  it("refuses a wrong password", async () => {
    const url = (await server.createDatabase()).replace(/:[^:@]+@/, ":wrong-secret@");
    expect(await failureOf(url)).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:\d+\/test_\d+ refuses the login: password authentication failed/) });
  });

  it("says when there is no such database", async () => {
    const url = (await server.createDatabase()).replace(/test_\d+$/, "missing");
    expect(await failureOf(url)).toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringMatching(/missing has no such database: /), fix: expect.stringContaining("createdb") });
  });

  it("says what a user must be allowed, and works for one who is not once the tables are there", async () => {
    const owner = await server.createDatabase();
    await server.query("CREATE ROLE guest LOGIN PASSWORD 'guest-secret'");
    const guest = owner.replace(/owner:[^@]+@/, "guest:guest-secret@");
    expect(await failureOf(guest)).toMatchObject({ code: "SERVICE_DENIED", message: expect.stringMatching(/does not allow this: permission denied for database/), fix: expect.stringContaining("GRANT CREATE ON DATABASE") });
    expect(await failureOf(owner)).toBeUndefined();
    expect(await failureOf(guest)).toMatchObject({ code: "SERVICE_DENIED", message: expect.stringMatching(/permission denied for schema twelve/) });
  });

  it("gets its tables once, from any number of processes", async () => {
    const url = await server.createDatabase();
    expect(await Promise.all(Array.from({ length: 8 }, () => failureOf(url)))).toEqual(Array.from({ length: 8 }, () => undefined));
  });
});
