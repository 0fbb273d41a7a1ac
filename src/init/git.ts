import type { Processes } from "../ports/process.ts";
import type { Application } from "./schema.ts";

/** Where a new application's files belong: a repository of their own, one that is there already, or none. */
export async function findRepository(processes: Processes, cwd: string, target: string): Promise<Application["repository"]> {
  const inside = await processes.run("git", ["rev-parse", "--show-toplevel"], { cwd });
  if (inside.exitCode === undefined) return "missing";
  // Git refuses to look into a repository of another user, and then names this setting; it is a repository all the same.
  if (inside.exitCode !== 0) return inside.stderr.includes("safe.directory") ? "enclosing" : "created";
  const ignored = await processes.run("git", ["check-ignore", "--quiet", `${target}/`], { cwd });
  return ignored.exitCode === 0 ? "created" : "enclosing";
}

export interface FirstCommit {
  /** null when git refused, over a hook or a signing key for example; then `complaint` has its words. */
  readonly commit: string | null;
  readonly complaint: string;
  readonly hasFallbackIdentity: boolean;
}

/** Makes a repository of `folder` with everything that is not ignored in one commit. */
export async function commitAll(processes: Processes, folder: string): Promise<FirstCommit> {
  const fallback = await missingIdentity(processes, folder);
  const steps = [
    ["init", "--quiet"],
    ["add", "--all"],
    [...fallback, "commit", "--quiet", "--message", "First version"],
    ["rev-parse", "HEAD"],
  ];
  let commit = "";
  for (const step of steps) {
    const { exitCode, stdout, stderr } = await processes.run("git", step, { cwd: folder });
    if (exitCode !== 0) return { commit: null, complaint: stderr.trim(), hasFallbackIdentity: false };
    commit = stdout.toString("utf8").trim();
  }
  return { commit, complaint: "", hasFallbackIdentity: fallback.length > 0 };
}

/** Options that fill in what git's settings do not say of the author; GIT_AUTHOR_* and GIT_COMMITTER_* still win over them. */
async function missingIdentity(processes: Processes, cwd: string): Promise<readonly string[]> {
  const fallbacks = [["user.name", "twelve"], ["user.email", "twelve@localhost"]] as const;
  const options = await Promise.all(fallbacks.map(async ([key, value]) => {
    const { exitCode } = await processes.run("git", ["config", "--get", key], { cwd });
    return exitCode === 0 ? [] : ["-c", `${key}=${value}`];
  }));
  return options.flat();
}
