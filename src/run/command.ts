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
import { agentCoreAddress, planAddress, usualAddress } from "./address-plan.ts";
import type { ChosenProcess } from "./choose-plan.ts";
import { commonReleaseOf, isReleaseTold } from "./common-release.ts";
import { isLoopback } from "./http/own-host.ts";
import { findOrWait, findRelease, type Found, type Served, servedOf } from "./find.ts";
import { flagsFor } from "../core/flag.ts";
import type { ForemanOptions } from "./pool/foreman.ts";
import { needsParent, typesToRun } from "./pool/type-plan.ts";

const usualConcurrency = 4;

export default defineCommand({
  input: z.strictObject({
    process: z.string().optional().meta({ description: "Process type; every type of the release by default, each with as many processes as its `scale` says", positional: true }),
    env: z.string().meta({ description: "Environment whose release is run", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3; attachments are then taken from the environment as it is now", valueName: "release" }),
    port: z.int().min(0).max(65_535).optional().meta({ description: `Port to listen on, 0 for any free one; PORT or ${usualAddress.port} by default. Of several types the first that serves has it, and each further one 100 more than the one before` }),
    host: z.string().optional().meta({ description: `Address to listen on, ${usualAddress.host} by default; others than this machine's own need API keys (\`server.keys\` in twelve.yaml) or --insecure`, valueName: "address" }),
    insecure: z.boolean().default(false).meta({ description: "Listen without API keys also where others than this machine can reach the address, and take requests under any host name: for a server behind a proxy that asks for keys itself" }),
    preStopSeconds: z.number().min(0).max(3600).default(0).meta({ description: "How long a server still takes requests after a request to stop, while /readyz says that it stops: for load balancers that notice late", valueName: "seconds" }),
    drainSeconds: z.number().min(0).max(3600).default(60).meta({ description: "How long open requests may take after a request to stop", valueName: "seconds" }),
    concurrency: z.int().min(1).max(64).optional().meta({ description: "How many processes of a `serve:` or `rerank:` type share the port, 1 by default; how much a `work:` process does at a time, 4 by default" }),
    agentcore: z.boolean().default(false).meta({ description: `Serve POST /invocations and GET /ping too, as Amazon Bedrock AgentCore calls a container; on ${agentCoreAddress.host} and port ${agentCoreAddress.port} by default` }),
    ui: z.boolean().default(false).meta({ description: "Serve a page at / as well, to ask the release and compare it with another; only for a process with `serve:`, and not with --insecure" }),
    mock: z.boolean().default(false).meta({ description: "Ask no model, embedder or reranker, and need no secrets: answer by the script of --answers, or repeat what was asked" }),
    answers: z.string().optional().meta({ description: "With --mock: the script that answers", valueName: "file" }),
    record: z.string().optional().meta({ description: "Write the answers down as a script for --answers, with personal data taken out", valueName: "file" }),
    logContent: z.boolean().default(false).meta({ description: "Write the answers to the log, with personal data taken out" }),
  }),
  output: z.strictObject({
    process: z.string(),
    release: Digest.nullable().meta({ description: "null where there was none yet, or none was found" }),
    exitCode: z.int().meta({ description: "Exit code of a `command:` process, or of one that cannot be run as things are; 0 for what stopped in good order" }),
  }),
  isService: true,
  description:
    "Without the name of a type, starts all types of the release on this machine, and starts again what ends. Serves a process with `serve:` over an OpenAI-compatible HTTP API and writes one JSON event a line to stdout; runs a process " +
    "with `command:` in the release's code, with its configuration in the environment; takes work from the queue of STATE_URL with `work:`. SIGTERM and Ctrl-C stop it in good order.",
  examples: ["twelve run --env staging", "twelve run --env staging --port 8080", "twelve run web --env production --concurrency 4", "twelve run --env staging --ui", "twelve run worker --env production"],

  async run(input, context) {
    const { process, env: environment, release: wanted, port, host, insecure, preStopSeconds, drainSeconds, concurrency, agentcore, ui, mock: isMock, answers, record, logContent } = input;
    if (ui && insecure) throw new TwelveError("USAGE_INVALID", "With --insecure, whoever can reach the page of --ui could ask at the application's expense", { fix: "Leave out one of the two" });
    if (answers !== undefined && !isMock) throw new TwelveError("USAGE_INVALID", "--answers says what a mock answers, and this is none", { fix: "Add `--mock`" });
    const hasPort = port !== undefined || (context.env["PORT"] ?? "") !== "";
    const listening = { environment, ...planAddress({ host, port, agentcore }, context.env["PORT"]), drainMs: drainSeconds * 1000 };
    const working = {
      concurrency: concurrency ?? usualConcurrency,
      // A worker has no API keys, and what waits in its queues is nothing for strangers.
      metricsAt: hasPort ? { host: isLoopback(listening.host) || insecure ? listening.host : "127.0.0.1", port: listening.port } : undefined,
    };
    // What is told is run, whatever is being written into twelve.yaml meanwhile.
    const early = wanted === undefined && !isReleaseTold(context) ? await chooseEarlyWorker(context, environment, process) : undefined;
    if (early !== undefined) {
      if (ui) throw withoutPage(early.name);
      const { runWorker } = await import("./worker.ts");
      await runWorker(context, { process: early.name, environment, queues: early.queues, ...working, isContentLogged: logContent, manifest: await readManifest(context.dir), release: undefined });
      return { process: early.name, release: null, exitCode: 0 };
    }
    const find = async (): Promise<Found> => findRelease(context, { environment, wanted, process, isMock });
    const found = await findOrWait(context, { process, find });
    // What a mock counts, one process counts; and the other types would do real work.
    if (context.parent === undefined && !isMock) {
      const types = typesToRun(found?.release.release ?? (await readManifest(context.dir)), { process, concurrency, port: listening.port });
      if (needsParent(types)) {
        const { runTypes } = await import("./pool/foreman.ts");
        if (found !== undefined) await (await import("./pool/guard.ts")).guardTypes(context, types, { host: listening.host, isInsecure: insecure, environment, release: found.release });
        const shared = { ...input, process: undefined, port: undefined };
        const argumentsOf: ForemanOptions["argumentsOf"] = (type) => ["run", type.name, ...flagsFor({ ...shared, port: type.port, concurrency: type.kind === "work" ? concurrency : undefined, agentcore: agentcore && type.kind === "serve", record: type.kind === "serve" ? record : undefined, ui: ui && type.kind === "serve" })];
        const ended = await runTypes(context, { ...listening, preStopMs: preStopSeconds * 1000, types, argumentsOf, release: found && commonReleaseOf(found) });
        return { process: types.map(({ name }) => name).join(", "), release: found?.release.releaseDescriptor.digest ?? null, exitCode: 0, ...ended };
      }
    }
    if (found === undefined || found.chosen.kind === "serve") {
      const findOther = ui ? async (name: string): Promise<Served> => servedOf(await findRelease(context, { environment, wanted: name, process, isApart: true })) : undefined;
      const { serve } = await import("./serve.ts");
      const mock = isMock ? await (await import("./mock/stand-in.ts")).openStandIn(context, answers) : undefined;
      const recorder = record === undefined ? undefined : (await import("./record.ts")).openRecorder(context, record);
      const release = await serve(context, { ...listening, mock, recorder, isAgentCore: agentcore, isInsecure: insecure, preStopMs: preStopSeconds * 1000, isContentLogged: logContent, found: found && servedOf(found), find: async () => servedOf(await find()), findOther });
      return { process: found?.chosen.name ?? process ?? "web", release, exitCode: 0 };
    }
    const { release, attachments, chosen } = found;
    if (ui) throw withoutPage(chosen.name);
    if (isMock || record !== undefined) throw new TwelveError("USAGE_INVALID", `The process ${chosen.name} serves no agents: there is nothing to ${isMock ? "mock" : "record"}`, { fix: "Name a process with `serve:`" });
    const answer = { process: chosen.name, release: release.releaseDescriptor.digest };
    if (chosen.kind === "work") {
      const { runWorker } = await import("./worker.ts");
      const { manifest } = await readDocument(await context.store(), buildKind, release.release.build);
      await runWorker(context, { process: chosen.name, environment, queues: chosen.queues, ...working, isContentLogged: logContent, manifest, release: { ...release, attachments } });
      return { ...answer, exitCode: 0 };
    }
    if (chosen.kind === "rerank") {
      const { serveReranker } = await import("./rerank/serve.ts");
      await serveReranker(context, { ...listening, preStopMs: preStopSeconds * 1000, isInsecure: insecure, process: chosen.name, model: chosen.model, release });
      return { ...answer, exitCode: 0 };
    }
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
