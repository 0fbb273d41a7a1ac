import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemProcesses } from "../../src/adapters/system/process.ts";
import { commitAll, findRepository } from "../../src/init/git.ts";
import type { Processes } from "../../src/ports/process.ts";
import { temporaryFolder } from "../helpers/context.ts";

/** Git on a machine where nobody has said who they are. */
const anonymous: Processes = {
  run: (file, args, options) => args[0] === "config"
    ? Promise.resolve({ exitCode: 1, stdout: Buffer.alloc(0), stderr: "" })
    : systemProcesses.run(file, args, options),
};

describe("commitAll", () => {
  it("commits under a fallback identity where git knows no author", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.txt"), "a\n");
    const { commit, hasFallbackIdentity } = await commitAll(anonymous, folder);
    const { stdout } = await systemProcesses.run("git", ["log", "--format=%H %ae %s"], { cwd: folder });
    const author = process.env["GIT_AUTHOR_EMAIL"] ?? "twelve@localhost";
    expect({ log: stdout.toString(), hasFallbackIdentity }).toEqual({ log: `${commit} ${author} First version\n`, hasFallbackIdentity: true });
  });
});

describe("findRepository", () => {
  it("takes a repository that git does not trust for an enclosing one", async () => {
    const distrusting: Processes = {
      run: () => Promise.resolve({ exitCode: 128, stdout: Buffer.alloc(0), stderr: "fatal: detected dubious ownership\n\tgit config --global --add safe.directory /srv/app\n" }),
    };
    expect(await findRepository(distrusting, "/", "/srv/app/support")).toBe("enclosing");
  });
});
