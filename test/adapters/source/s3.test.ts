import type { ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { openSource } from "../../../src/adapters/registry.ts";
import { openSource as openS3Source } from "../../../src/adapters/source/s3/adapter.ts";
import type { DocumentSource, SourceFile } from "../../../src/ports/document.ts";
import { answerError, type S3Server, startS3Server } from "../../helpers/s3-server.ts";
import { describeSource, listAll, textOf } from "../../ports/source.contract.ts";

describeSource("s3", {
  async open(documents) {
    const objects = Object.fromEntries(Object.entries(documents).map(([name, text]) => [`docs/${name}`, text]));
    const server = await startS3Server({ objects: { "docs/": "", "docs-old/no.md": "no", ...objects } });
    return { source: await openAt(server, "s3://manuals/docs"), pathOf: (name) => `s3://manuals/docs/${name}` };
  },
  openMissing: async () => openAt(await startS3Server({ objects: { "other/a.md": "one" } }), "s3://manuals/docs"),
});

async function openAt({ env }: Pick<S3Server, "env">, reference: string): Promise<DocumentSource> {
  return openSource(reference, { dir: "/", env });
}

type Fault = (response: ServerResponse, attempt: number) => boolean;

/** The one document of a server that answers its content in this way. */
async function documentWith(fault: Fault, content = "content"): Promise<{ readonly file: SourceFile; readonly server: S3Server }> {
  let attempt = 0;
  const server = await startS3Server({ objects: { "a.md": content }, fault: (request, response) => request.url?.startsWith("/manuals/a.md") === true && fault(response, ++attempt) });
  const source = await openS3Source("s3://manuals", { env: server.env }, { idleMs: 200 });
  const [file] = (await listAll(source)).files;
  if (file === undefined) throw new Error("Nothing was listed");
  return { file, server };
}

describe("an S3 source", () => {
  it("leaves out markers of folders and the folders that hold no documents", async () => {
    const server = await startS3Server({ objects: { "a.md": "one", "sub/": "", "sub_$folder$": "", "x/node_modules/b.md": "", ".git/c.md": "", "x/.twelve/d.md": "" } });
    expect((await listAll(await openAt(server, "s3://manuals"))).files.map(({ path }) => path)).toEqual(["s3://manuals/a.md"]);
  });

  it("offers the one object that is named, whatever the globs say", async () => {
    const server = await startS3Server({ objects: { "docs/a.md": "one", "docs/a.md.old": "two" } });
    const { files } = await listAll(await openAt(server, "s3://manuals/docs/a.md"), () => false);
    expect([files.map(({ path }) => path), await textOf(files[0])]).toEqual([["s3://manuals/docs/a.md"], "one"]);
  });

  it("goes through all pages", async () => {
    const server = await startS3Server({ objects: Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`+ ${i}&.md`, "x"])), pageSize: 4 });
    expect((await listAll(await openAt(server, "s3://manuals"))).files).toHaveLength(25);
    expect(server.requests).toHaveLength(7);
  });

  it.each([
    ["s3:manuals/docs", "names no bucket"],
    ["s3://", "names no bucket"],
    ["s3:///docs", "names no bucket"],
    ["s3://no such/docs", "names no bucket"],
  ])("refuses %s", async (reference, message) => {
    await expect(openSource(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining(message) });
  });

  it("refuses credentials in the URL without repeating them", async () => {
    const failure = await openSource("s3://key:hunter2@manuals/docs", { dir: "/", env: {} }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SOURCE_INVALID" });
    expect(String(failure)).not.toMatch(/hunter2|key:/);
  });
});

describe("a failing S3 service", () => {
  it("says which bucket is missing", async () => {
    await expect(listAll(await openAt(await startS3Server({}), "s3://manual/docs"))).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "There is no bucket s3://manual (NoSuchBucket)" });
  });

  it.each([
    [403, "AccessDenied", "SERVICE_DENIED", "s3://manuals may not be used with these AWS credentials (AccessDenied: The server says AccessDenied)"],
    [403, "InvalidAccessKeyId", "SERVICE_UNAUTHENTICATED", "s3://manuals refused the AWS credentials (InvalidAccessKeyId: The server says InvalidAccessKeyId)"],
    [400, "ExpiredToken", "SERVICE_UNAUTHENTICATED", "s3://manuals refused the AWS credentials (ExpiredToken: The server says ExpiredToken)"],
    [503, "SlowDown", "SERVICE_LIMITED", "s3://manuals is asked too often (SlowDown: The server says SlowDown)"],
    [500, "InternalError", "SERVICE_UNAVAILABLE", "s3://manuals failed (InternalError: The server says InternalError)"],
  ])("translates %i %s to %s", async (status, name, code, message) => {
    const server = await startS3Server({ fault: (_, response) => (answerError(response, status, name), true) });
    await expect(listAll(await openAt(server, "s3://manuals"))).rejects.toMatchObject({ code, message });
  });

  it("is told apart from one that does not answer", async () => {
    const env = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    await expect(listAll(await openAt({ env }, "s3://manuals"))).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringContaining("ECONNREFUSED"), retry: { afterMs: null } });
  });

  it("needs credentials and a region, and says what to set", async () => {
    for (const name of ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"]) vi.stubEnv(name, "/nonexistent");
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    const { env } = await startS3Server({});
    const { AWS_ENDPOINT_URL_S3 = "" } = env;
    await expect(listAll(await openAt({ env: { AWS_ENDPOINT_URL_S3 } }, "s3://manuals"))).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("AWS_ACCESS_KEY_ID") });
    await expect(listAll(await openAt({ env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" } }, "s3://manuals"))).rejects.toMatchObject({ code: "CONFIG_INVALID", fix: expect.stringContaining("AWS_REGION") });
    vi.unstubAllEnvs();
  });

  it("is asked again when it answers 500 or breaks off in the middle", async () => {
    const failed = await documentWith((response, attempt) => attempt === 1 && (answerError(response, 500, "InternalError"), true));
    expect(await textOf(failed.file)).toBe("content");
    const cut = await documentWith((response, attempt) => attempt <= 2 && (response.writeHead(200, { "content-length": 7 }).write("con", () => response.destroy()), true));
    expect(await textOf(cut.file)).toBe("content");
    expect(cut.server.requests.filter((request) => request.includes("a.md"))).toHaveLength(3);
  });

  it("fails for the file when each answer breaks off", async () => {
    const { file } = await documentWith((response) => (response.writeHead(200, { "content-length": 7 }).write("con", () => response.destroy()), true));
    await expect(file.read()).rejects.toMatchObject({ code: "SERVICE_CUT", message: expect.stringContaining("s3://manuals/a.md ") });
  });

  it("is not waited for when an answer stands still", async () => {
    const { file } = await documentWith((response) => (response.writeHead(200, { "content-length": 7 }).write("con"), true));
    await expect(file.read()).rejects.toMatchObject({ code: "SERVICE_CUT", message: expect.stringContaining("s3://manuals/a.md ") });
  });

  it("is left alone when the reading is interrupted in the middle of an answer", async () => {
    const controller = new AbortController();
    const reason = new Error("interrupted");
    const { file } = await documentWith((response) => (response.writeHead(200, { "content-length": 7 }).write("con", () => controller.abort(reason)), true));
    await expect(file.read(controller.signal)).rejects.toBe(reason);
  });

  it("does not fill the memory with an object that has grown", async () => {
    const piece = "x".repeat(1024 * 1024);
    const { file } = await documentWith((response) => {
      response.writeHead(200);
      const pour = (): void => void response.write(piece, (error) => error ?? pour());
      pour();
      return true;
    });
    await expect(file.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "s3://manuals/a.md has more than 33554432 bytes" });
  });

  it("stops everything when credentials end while objects are read", async () => {
    const { file } = await documentWith((response) => (answerError(response, 400, "ExpiredToken"), true));
    await expect(file.read()).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
  });

  it("fails for one object alone that may not be read or is gone", async () => {
    const { file, server } = await documentWith((response, attempt) => attempt === 1 && (answerError(response, 403, "AccessDenied"), true));
    await expect(file.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "s3://manuals/a.md cannot be read with these AWS credentials (AccessDenied: The server says AccessDenied)" });
    server.objects.delete("a.md");
    await expect(file.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "s3://manuals/a.md is gone: it was deleted after it was listed" });
  });
});

describe("a feed on S3", () => {
  it("is read once, also where it breaks off", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => JSON.stringify({ id: i, text: `text ${i}` }));
    const feed = `${lines.join("\n")}\n`;
    let gets = 0;
    const server = await startS3Server({
      objects: { "feed.jsonl": feed },
      fault: (request, response) => request.url?.startsWith("/manuals/feed") === true && ++gets === 1 && (response.writeHead(200, { "content-length": feed.length }).write(feed.slice(0, 100), () => response.destroy()), true),
    });
    const { files } = await listAll(await openAt(server, "s3://manuals/feed.jsonl"));
    expect(await Promise.all(files.map(textOf))).toEqual(Array.from({ length: 50 }, (_, i) => `text ${i}`));
    expect(gets).toBe(2);
  });

  it("is not there", async () => {
    await expect(listAll(await openAt(await startS3Server({}), "s3://manuals/feed.jsonl"))).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "There is no object s3://manuals/feed.jsonl" });
  });
});
