import { TwelveError } from "../core/errors.ts";
import type { Environment } from "../ports/context.ts";
import type { Processes } from "../ports/process.ts";

export interface Git {
  /** Standard output. Fails with GIT_MISSING in git's own words when git refuses. */
  run(args: readonly string[]): Promise<Buffer>;
}

/**
 * A checkout may come from anywhere, and its `.git/config` can name programs that git would start by itself
 * (a file system monitor, hooks); these settings keep it from that. Paths come out as they are, unquoted.
 */
const settings = ["core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.quotePath=off", "core.pager=cat"];

export function openGit(processes: Processes, dir: string, env: Environment): Git {
  const options = ["--no-pager", "--literal-pathspecs", ...settings.flatMap((setting) => ["-c", setting])];
  return {
    run: async (args) => {
      const result = await processes.run("git", [...options, ...args], { cwd: dir, env: cleanEnvironment(env) });
      if (result.exitCode === 0) return result.stdout;
      if (result.exitCode === undefined) {
        throw new TwelveError("GIT_MISSING", `git cannot be started: ${result.stderr.trim() || "it is not on the PATH, or its output is too large"}`, { fix: "Install git from https://git-scm.com and try again" });
      }
      throw refusal(result.stderr.trim(), dir);
    },
  };
}

/**
 * Within a git hook, GIT_DIR, GIT_INDEX_FILE and others point to another repository or index than the application's own.
 * The user's own settings (GIT_CONFIG_GLOBAL and the like) stay.
 */
function cleanEnvironment(env: Environment): Environment {
  const kept = Object.entries(env).filter(([key]) => !key.startsWith("GIT_") || /^GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/.test(key));
  return { ...Object.fromEntries(kept), LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_NO_LAZY_FETCH: "1" };
}

function refusal(words: string, dir: string): TwelveError {
  if (words.includes("not a git repository") || words.includes("must be run in a work tree")) {
    return new TwelveError("GIT_MISSING", `${dir} is not in a git repository; a build packages the files that git tracks`);
  }
  if (words.includes("dubious ownership")) {
    return new TwelveError("GIT_MISSING", `git does not trust the repository of ${dir}, because it belongs to another user`, {
      fix: /git config [^\n]*safe\.directory[^\n]*/.exec(words)?.[0].replace(/^/, "Run `").concat("`") ?? "Add it to git's safe.directory setting",
    });
  }
  return new TwelveError("GIT_MISSING", `git cannot read the repository of ${dir}: ${words}`, { fix: "Run `git status` there to see the same, and correct it" });
}
