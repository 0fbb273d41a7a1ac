import { z } from "zod";
import { Name, ServiceUrl } from "./name.ts";

/** What `work:` calls the shards of detached index jobs, and the runs of agents. */
export const indexQueue = "index";
export const runsQueue = "runs";
export const queues = [indexQueue, runsQueue] as const;

const min = z.int().min(1).max(256).default(1).meta({ description: "Fewest processes" });
const max = z.int().min(1).max(256).optional().meta({ description: "Most processes; as many as `min` by default" });

const described = { description: "How many processes `twelve run` starts; one by default" };
const inFlight = z.int().min(1).optional().meta({ description: "Requests under way for each process, above which another one is started, up to `max`" });
const depth = z.int().min(1).optional().meta({ description: "Waiting pieces of work for each process, above which another one is started, up to `max`" });

/** How many processes of a type `twelve run` keeps running on one machine; an orchestrator reads the load off `/metrics`. */
const requestScale = { scale: z.strictObject({ min, max, inFlight }).check(({ value, issues }) => void issues.push(...complaints(value, "inFlight", value.inFlight))).optional().meta(described) };
const queueScale = { scale: z.strictObject({ min, max, depth }).check(({ value, issues }) => void issues.push(...complaints(value, "depth", value.depth))).optional().meta(described) };
const fixedScale = { scale: z.strictObject({ min }).optional().meta(described) };

function complaints(scale: { readonly min: number; readonly max?: number | undefined }, key: string, load: number | undefined): { code: "custom"; path: string[]; message: string; input: unknown; continue: true }[] {
  const most = scale.max ?? scale.min;
  if (most < scale.min) return [{ code: "custom", path: ["max"], input: scale.max, continue: true, message: `Expected at least \`min\`, which is ${scale.min}` }];
  if (most === scale.min || load !== undefined) return [];
  return [{ code: "custom", path: ["max"], input: scale.max, continue: true, message: `More processes than \`min\` are started by load: say from which on with \`${key}\`` }];
}

const ServeProcess = z.strictObject({ serve: z.array(Name).min(1).meta({ description: "Agents that the HTTP server offers" }), ...requestScale });
const CommandProcess = z.strictObject({ command: z.string().min(1).meta({ description: "Command line of your own program, run in the release's code" }), ...fixedScale });
const WorkProcess = z.strictObject({ work: z.array(Name).min(1).meta({ description: `Queues that a worker takes from: ${queues.join(", ")}` }), ...queueScale });
const RerankProcess = z.strictObject({ rerank: ServiceUrl.meta({ description: "Local cross-encoder that is served as text-embeddings-inference does, such as transformers:models/reranker" }), ...requestScale });
export const ProcessDeclaration = z.union([ServeProcess, CommandProcess, WorkProcess, RerankProcess]);
export type ProcessDeclaration = z.infer<typeof ProcessDeclaration>;
