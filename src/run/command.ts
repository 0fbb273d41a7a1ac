import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { environmentOf } from "../config/read.ts";
import { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import { readCurrent } from "../release/read.ts";
import type { ChosenProcess } from "./choose-plan.ts";
import { findOrWait, findRelease, type Found, type Served, servedOf } from "./find.ts";

const defaultPort = 3000;

export default defineCommand({
  input: z.strictObject({
    process: z.string().optional().meta({ description: "Process type; web by default, or the only one", positional: true }),
    env: z.string().meta({ description: "Environment whose release is run", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3; attachments are then taken from the environment as it is now", valueName: "release" }),
    port: z.int().min(0).max(65_535).optional().meta({ description: `Port to listen on, 0 for any free one; PORT or ${defaultPort} by default` }),
    host: z.string().default("127.0.0.1").meta({ description: "Address to listen on; others than this machine's own need API keys (`server.keys` in twelve.yaml) or --insecure", valueName: "address" }),
    insecure: z.boolean().default(false).meta({ description: "Listen without API keys also where others than this machine can reach the address, and take requests under any host name: for a server behind a proxy that asks for keys itself" }),
    preStopSeconds: z.number().min(0).max(3600).default(0).meta({ description: "How long a server still takes requests after a request to stop, while /readyz says that it stops: for load balancers that notice late", valueName: "seconds" }),
    drainSeconds: z.number().min(0).max(3600).default(60).meta({ description: "How long open requests may take after a request to stop", valueName: "seconds" }),
    concurrency: z.int().min(1).max(64).default(4).meta({ description: "How much a `work:` process does at a time" }),
    ui: z.boolean().default(false).meta({ description: "Serve a page at / as well, to ask the release and compare it with another; only for a process with `serve:`, and not with --insecure" }),
    logContent: z.boolean().default(false).meta({ description: "Write the answers to the log, with personal data taken out" }),
  }),
  output: z.strictObject({
    process: z.string(),
    release: Digest.nullable().meta({ description: "null for a worker of an environment that has no release yet" }),
    exitCode: z.int().meta({ description: "Exit code of a `command:` process; 0 for a server that stopped in good order" }),
  }),
  isService: true,
  description:
    "Serves a process with `serve:` over an OpenAI-compatible HTTP API and writes one JSON event a line to stdout; runs a process " +
    "with `command:` in the release's code, with its configuration in the environment; takes work from the queue of STATE_URL with `work:`. SIGTERM and Ctrl-C stop it in good order.",
  examples: ["twelve run --env staging", "twelve run --env staging --port 8080", "twelve run --env staging --ui", "twelve run worker --env production"],

  async run({ process, env: environment, release: wanted, port, host, insecure, preStopSeconds, drainSeconds, concurrency, ui, logContent }, context) {
    if (ui && insecure) throw new TwelveError("USAGE_INVALID", "With --insecure, whoever can reach the page of --ui could ask at the application's expense", { fix: "Leave out one of the two" });
    const early = wanted === undefined ? await chooseEarlyWorker(context, environment, process) : undefined;
    if (early !== undefined) {
      if (ui) throw withoutPage(early.name);
      const { runWorker } = await import("./worker.ts");
      await runWorker(context, { process: early.name, environment, queues: early.queues, concurrency, manifest: await readManifest(context.dir), release: undefined });
      return { process: early.name, release: null, exitCode: 0 };
    }
    const find = async (): Promise<Found> => findRelease(context, { environment, wanted, process });
    const found = await findOrWait(context, { process, find });
    const listening = { environment, port: port ?? portFrom(context.env["PORT"]), drainMs: drainSeconds * 1000 };
    if (found === undefined || found.chosen.kind === "serve") {
      const findOther = ui ? async (name: string): Promise<Served> => servedOf(await findRelease(context, { environment, wanted: name, process })) : undefined;
      const { serve } = await import("./serve.ts");
      const release = await serve(context, { ...listening, host, isInsecure: insecure, preStopMs: preStopSeconds * 1000, isContentLogged: logContent, found: found && servedOf(found), find: async () => servedOf(await find()), findOther });
      return { process: found?.chosen.name ?? process ?? "web", release, exitCode: 0 };
    }
    const { release, attachments, chosen } = found;
    if (ui) throw withoutPage(chosen.name);
    const answer = { process: chosen.name, release: release.releaseDescriptor.digest };
    if (chosen.kind === "work") {
      const { runWorker } = await import("./worker.ts");
      const { manifest } = await readDocument(await context.store(), buildKind, release.release.build);
      await runWorker(context, { process: chosen.name, environment, queues: chosen.queues, concurrency, manifest, release: { ...release, attachments } });
      return { ...answer, exitCode: 0 };
    }
    if (chosen.kind === "rerank") throw new TwelveError("PROCESS_UNSUPPORTED", `The process ${chosen.name} serves a reranker, which is not there yet`);
    const { runProgram } = await import("./program.ts");
    return { ...answer, exitCode: await runProgram(context, { ...listening, release, attachments, process: chosen.name, command: chosen.command }) };
  },

  render: () => "",
  verdict: ({ process, exitCode }) => (exitCode === 0 ? undefined : { exit: exitCode, message: `The process ${process} ended with exit code ${exitCode}` }),
});

/** A worker makes the first index, so it cannot wait for the first release: until there is one, the manifest says what it does. */
async function chooseEarlyWorker(context: Context, environment: string, process: string | undefined): Promise<Extract<ChosenProcess, { readonly kind: "work" }> | undefined> {
  if (process === undefined) return undefined;
  const [store, manifest] = await Promise.all([context.store(), readManifest(context.dir)]);
  const declared = Object.hasOwn(manifest.processes, process) ? manifest.processes[process] : undefined;
  if (declared === undefined || !("work" in declared) || (await readCurrent(store, manifest.name, environment)) !== undefined) return undefined;
  environmentOf(manifest, environment);
  return { kind: "work", name: process, queues: declared.work };
}

function withoutPage(process: string): TwelveError {
  return new TwelveError("USAGE_INVALID", `The process ${process} serves no agents, so there is nothing that the page of --ui could ask`, { fix: "Leave out `--ui`, or name a process with `serve:`" });
}

function portFrom(text: string | undefined): number {
  if (text === undefined || text === "") return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new TwelveError("USAGE_INVALID", `PORT is ${JSON.stringify(text)}; expected a number from 0 to 65535`, { fix: "Correct the variable PORT, or use `--port`" });
}
