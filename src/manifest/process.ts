import { z } from "zod";
import { Name, ServiceUrl } from "./name.ts";

const instances = {
  min: z.int().min(0).max(256).default(1).meta({ description: "Fewest processes" }),
  max: z.int().min(1).max(256).optional().meta({ description: "Most processes; as many as `min` by default" }),
};
/** How many processes of a type run: `twelve run` keeps to it on one machine, an orchestrator can read it off `/metrics`. */
const requestScale = { scale: z.strictObject({ ...instances, inFlight: z.int().min(1).optional().meta({ description: "Requests under way for each process, above which another one is started" }) }).optional().meta({ description: "How many processes; one by default" }) };
const queueScale = { scale: z.strictObject({ ...instances, depth: z.int().min(1).optional().meta({ description: "Waiting work for each process, above which another one is started" }) }).optional().meta({ description: "How many processes; one by default" }) };
const fixedScale = { scale: z.strictObject({ min: instances.min }).optional().meta({ description: "How many processes; one by default" }) };
const ServeProcess = z.strictObject({ serve: z.array(Name).min(1).meta({ description: "Agents that the HTTP server offers" }), ...requestScale });
const CommandProcess = z.strictObject({ command: z.string().min(1).meta({ description: "Command line of your own program, run in the release's code" }), ...fixedScale });
const WorkProcess = z.strictObject({ work: z.array(Name).min(1).meta({ description: "Queues that a worker takes from: index, runs" }), ...queueScale });
const RerankProcess = z.strictObject({ rerank: ServiceUrl.meta({ description: "Local cross-encoder that is served as text-embeddings-inference does, such as transformers:models/reranker" }), ...requestScale });
export const ProcessDeclaration = z.union([ServeProcess, CommandProcess, WorkProcess, RerankProcess]);
export type ProcessDeclaration = z.infer<typeof ProcessDeclaration>;
