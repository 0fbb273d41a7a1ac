import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { postgresFailure, sqlStateOf } from "../../../src/adapters/postgres/failure.ts";
import { openSessions } from "../../../src/adapters/session/postgres/adapter.ts";
import { openService } from "../../../src/adapters/vectors/pgvector/adapter.ts";
import { listening } from "../../helpers/listen.ts";

const said = (code: string, message = "the server's words"): Error => Object.assign(new Error(message), { code });
const passing = { retry: { afterMs: null } };
const firm = { retry: undefined };

describe("what a Postgres server says", () => {
  it.each<[state: string, expected: object]>([
    ["08006", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["0A000", { code: "SERVICE_REJECTED", ...firm }],
    ["22P02", { code: "SERVICE_REJECTED", ...firm }],
    ["23505", { code: "SERVICE_REJECTED", ...firm }],
    ["25006", { code: "SERVICE_UNAVAILABLE", ...passing, fix: expect.stringContaining("primary") as string }],
    ["25P02", { code: "SERVICE_REJECTED", ...firm }],
    ["28P01", { code: "SERVICE_UNAUTHENTICATED", ...firm, fix: expect.stringContaining("password") as string }],
    ["28000", { code: "SERVICE_UNAUTHENTICATED", ...firm }],
    ["3D000", { code: "SERVICE_NOT_FOUND", ...firm }],
    ["3F000", { code: "SERVICE_REJECTED", ...firm }],
    ["40001", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["40P01", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["42501", { code: "SERVICE_DENIED", ...firm }],
    ["42601", { code: "SERVICE_REJECTED", ...firm }],
    ["42704", { code: "SERVICE_REJECTED", ...firm }],
    ["42P01", { code: "SERVICE_REJECTED", ...firm }],
    ["53100", { code: "SERVICE_UNAVAILABLE", ...passing, fix: expect.stringContaining("disk") as string }],
    ["53300", { code: "SERVICE_UNAVAILABLE", ...passing, fix: expect.stringContaining("connections") as string }],
    ["54000", { code: "SERVICE_REJECTED", ...firm }],
    ["55P03", { code: "SERVICE_UNAVAILABLE", ...passing, fix: expect.stringContaining("pg_locks") as string }],
    ["57014", { code: "SERVICE_TIMEOUT", ...passing }],
    ["57P01", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["57P03", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["57P04", { code: "SERVICE_NOT_FOUND", ...firm }],
    ["58030", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["P0001", { code: "SERVICE_REJECTED", ...firm }],
    ["XX000", { code: "SERVICE_UNAVAILABLE", ...passing }],
    ["XX001", { code: "SERVICE_FAILED", ...firm, fix: expect.stringContaining("backup") as string }],
  ])("%s has its code, and may pass or not", (state, expected) => {
    const failure = postgresFailure(said(state), "postgres://host/d");
    expect(failure).toMatchObject({ ...expected, message: expect.stringMatching(new RegExp(`^postgres://host/d .*: the server's words \\(${state}\\)$`)) as string });
    // The server answered: its address is right.
    expect((failure as { readonly fix: string }).fix).not.toMatch(/address|port/);
    expect(sqlStateOf(said(state))).toBe(state);
  });

  it("is not about the password where the machine may not come in", () => {
    for (const message of ['no pg_hba.conf entry for host "10.0.0.1", user "me", database "d", no encryption', 'pg_hba.conf rejects connection for host "10.0.0.1", user "me", database "d", no encryption']) {
      const failure = postgresFailure(said("28000", message), "postgres://host/d");
      expect(failure).toMatchObject({ code: "SERVICE_DENIED", retry: undefined, fix: expect.stringMatching(/pg_hba\.conf.*sslmode/) as string });
      expect((failure as { readonly fix: string }).fix).not.toContain("password");
    }
  });
});

describe("what answers and is no Postgres server", () => {
  const failures = async (port: number, query = ""): Promise<readonly unknown[]> => {
    const url = `postgres://me:secret@127.0.0.1:${port}/d${query}`;
    const [sessions, vectors] = [await openSessions(url, "/"), await openService(url, "/")];
    onTestFinished(async () => void (await Promise.all([sessions.close(), vectors.close()])));
    return Promise.all([sessions, vectors].map((service) => service.check().then(() => "well", (error: unknown) => error)));
  };

  it.each([
    ["a web server", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a web server, asked for TLS", "HTTP/1.1 400 Bad Request\r\n\r\n", "?sslmode=require"],
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["a screen", "RFB 003.008\n"],
    ["Redis", "-ERR Protocol error\r\n"],
    ["MySQL", Buffer.from([0x4a, 0, 0, 0, 0x0a, 0x38, 0x2e, 0x30])],
  ])("is called by its fault, not a break: %s", async (_, greeting, query = "") => {
    // It leaves the connection open, as a server does that waits for more.
    const port = await listening(createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.write(greeting))));
    for (const failure of await failures(port, query)) expect(failure).toMatchObject({ code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("cannot be used") as string });
  });

  it("is told from a server that breaks off before it has said a thing", async () => {
    const port = await listening(createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.end())));
    for (const failure of await failures(port)) expect(failure).toMatchObject({ code: "SERVICE_CUT", ...passing });
  });

  it("is told from a server that says in Postgres's words that it has no room", async () => {
    const text = Buffer.from("SFATAL\0C53300\0Mtoo many clients\0\0");
    const message = Buffer.concat([Buffer.from("E"), Buffer.from([0, 0, 0, text.length + 4]), text]);
    const port = await listening(createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.end(message))));
    for (const failure of await failures(port)) expect(failure).toMatchObject({ code: "SERVICE_UNAVAILABLE", ...passing, message: expect.stringContaining("too many clients (53300)") as string });
  });

  it("gives up a vector server that takes a connection and says nothing as soon as `timeoutMs` says", { timeout: 9000 }, async () => {
    const service = await openService(`postgres://me:secret@127.0.0.1:${await listening(createServer(() => {}))}/d?timeoutMs=300`, "/");
    onTestFinished(() => service.close());
    await expect(service.check()).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", ...passing });
  });
});
