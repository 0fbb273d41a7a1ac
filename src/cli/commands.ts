import type { Command } from "../ports/command.ts";

/** A command of the table of contents: nothing else of it is loaded before it is called. */
export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly default: Command }>;
}

/** Every command, in the order of a first day's work. A name with a space is a subcommand of its first word. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  init: entry("Make a new application from a template", () => import("../init/command.ts")),
  check: entry("Check the manifest, the prompts and the code as a build does", () => import("../build/check-command.ts")),
  build: entry("Validate prompts and package code into one immutable build", () => import("../build/command.ts")),
  index: entry("Embed documents into one immutable index", () => import("../index/command.ts")),
  "index list": entry("List the indexes that the store holds", () => import("../index/list-command.ts")),
  "index show": entry("Show what an index was made of and how", () => import("../index/show-command.ts")),
  "index verify": entry("Compare an index with what the vector engine really holds", () => import("../index/verify-command.ts")),
  "index publish": entry("Load an index into a vector service, for releases to search there", () => import("../index/publish-command.ts")),
  "index diff": entry("Compare the documents and settings of two indexes", () => import("../index/diff-command.ts")),
  "index status": entry("Show how far detached index jobs are", () => import("../index/status-command.ts")),
  "index wait": entry("Wait for a detached index job", () => import("../index/wait-command.ts")),
  "index cancel": entry("Cancel a detached index job", () => import("../index/cancel-command.ts")),
  search: entry("Show what a release would retrieve for a question", () => import("../retrieval/command.ts")),
  release: entry("Freeze build, indexes and configuration into a numbered release and activate it", () => import("../release/command.ts")),
  releases: entry("List the releases and where they are active", () => import("../release/list-command.ts")),
  show: entry("Show a release, environment, build or index", () => import("../release/show-command.ts")),
  promote: entry("Activate the release of one environment in another", () => import("../release/promote-command.ts")),
  rollback: entry("Activate the release that was active before", () => import("../release/rollback-command.ts")),
  run: entry("Serve an environment's release over HTTP, or run its processes", () => import("../run/command.ts")),
  mock: entry("Serve the HTTP API by scripted answers, for the tests of applications", () => import("../run/mock-command.ts")),
  eval: entry("Measure a release against eval suites", () => import("../eval/command.ts")),
  "config list": entry("List configuration keys, their values and where these come from", () => import("../release/config-command.ts")),
  "models list": entry("List a release's models with their lifecycle", () => import("../services/models-list-command.ts")),
  "models check": entry("Ask the providers whether a release's models are there, and until when", () => import("../services/models-check-command.ts")),
  "models pull": entry("Fetch local models and check them against twelve.lock", () => import("../models/pull-command.ts")),
  "admin gc": entry("Drop published indexes that nothing refers to any more", () => import("../admin/gc-command.ts")),
  "admin key": entry("Make an API key for a server", () => import("../admin/key-command.ts")),
  "services check": entry("Ask every service that a release needs whether it is there", () => import("../services/command.ts")),
  verify: entry("Check every blob and reference of the store", () => import("../verify/command.ts")),
};

/** Groups of subcommands and what they are about. */
export const groups: Readonly<Record<string, string>> = { admin: "One-off tasks of an operator", config: "Look at configuration", models: "Look at models and their ends of life, and fetch local ones", services: "Look at the services that a release needs" };

function entry(summary: string, load: () => Promise<{ readonly default: unknown }>): CommandEntry {
  // Each command's own schemas type its functions; the frame calls them only with what those schemas parsed.
  return { summary, load: load as CommandEntry["load"] };
}
