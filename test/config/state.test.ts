import { beforeEach, describe, expect, it } from "vitest";
import { readActivatedStateUrl, readStateUrl } from "../../src/config/state.ts";
import { Manifest } from "../../src/manifest/schema.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";

let dir: string;
beforeEach(async () => void (dir = await temporaryFolder()));

const declaring = (declaration: object): Manifest => Manifest.parse({ name: "app", config: { STATE_URL: { kind: "attachment", ...declaration } }, environments: { staging: {} } });
const read = async (manifest: Manifest, env: Record<string, string> = {}): Promise<string> => readStateUrl(await testContext({ dir, env }), manifest, "staging");

describe("where state is kept", () => {
  it("is what the attachment says, else in the application's folder", async () => {
    expect(await read(declaring({ optional: true }))).toBe("pglite:.twelve/state");
    expect(await read(declaring({ default: "pglite:state" }))).toBe("pglite:state");
    expect(await read(declaring({ default: "pglite:state" }), { STATE_URL: "postgres://a:b@host/db" })).toBe("postgres://a:b@host/db");
  });

  it("is what the variable says where the manifest does not declare it", async () => {
    const manifest = Manifest.parse({ name: "app", environments: { staging: {} } });
    expect(await read(manifest)).toBe("pglite:.twelve/state");
    expect(await read(manifest, { STATE_URL: "" })).toBe("pglite:.twelve/state");
    expect(await read(manifest, { STATE_URL: "postgres://host/db" })).toBe("postgres://host/db");
  });

  it("is not the memory of a process", async () => {
    const refused = expect.objectContaining({ code: "CONFIG_INVALID", message: "STATE_URL is memory:, which is lost with its process" });
    await expect(read(declaring({ default: "memory:" }))).rejects.toEqual(refused);
    await expect(read(Manifest.parse({ name: "app", environments: { staging: {} } }), { STATE_URL: "memory:" })).rejects.toEqual(refused);
  });

  it("is nowhere in an environment that is not declared", async () => {
    await expect(read(Manifest.parse({ name: "app" }))).rejects.toMatchObject({ code: "ENVIRONMENT_UNKNOWN" });
  });

  it("fails where it must be given and is not", async () => {
    await expect(read(declaring({}))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("where a release keeps its state", () => {
  const activated = async (url: string | null | undefined, now: string): ReturnType<typeof readActivatedStateUrl> =>
    readActivatedStateUrl(await testContext({ dir, env: { STATE_URL: now } }), declaring({ optional: true }), { environment: "staging", attachments: url === undefined ? {} : { STATE_URL: { url } } });

  it("is the service of the activation, with the credentials of now", async () => {
    expect(await activated("postgres://host/db", "postgres://a:b@host/db")).toEqual({ url: "postgres://a:b@host/db", other: undefined });
  });

  it("stays the one of the activation when the environment names another, which is said without its credentials", async () => {
    expect(await activated("postgres://host/db", "postgres://a:b@other/db")).toEqual({ url: "postgres://host/db", other: "postgres://other/db" });
  });

  it("is the one of now where the activation had none", async () => {
    expect(await activated(null, "postgres://a:b@host/db")).toEqual({ url: "postgres://a:b@host/db", other: undefined });
    expect(await activated(undefined, "postgres://a:b@host/db")).toEqual({ url: "postgres://a:b@host/db", other: undefined });
  });
});
