import { z } from "zod";

export const ServiceProblem = z.strictObject({ code: z.string(), message: z.string(), fix: z.string() });
export type ServiceProblem = z.infer<typeof ServiceProblem>;

/** One line of the table: a service, or something without which none can be asked, such as a secret that is missing. */
export const ServiceRow = z.strictObject({
  service: z.string().meta({ description: "What it is for, such as `model of agent support`" }),
  url: z.string().nullable().meta({ description: "Without credentials; null for what is no service, such as a missing secret" }),
  isReachable: z.boolean(),
  version: z.string().nullable().meta({ description: "As the service names it itself; null where it does not" }),
  detail: z.string().nullable().meta({ description: "What else it said" }),
  lifecycle: z.strictObject({ state: z.enum(["active", "legacy"]), endOfLife: z.iso.date().nullable() }).nullable().meta({ description: "Of a model, where the provider tells it" }),
  isModelUnknown: z.literal(true).optional().meta({ description: "The server answers and does not tell whether it has the model; `detail` says why" }),
  latencyMs: z.number().nullable().meta({ description: "How long the answer took; null when there was none" }),
  problem: ServiceProblem.nullable(),
});
export type ServiceRow = z.infer<typeof ServiceRow>;

export function missingRow(service: string, problem: ServiceProblem | null): ServiceRow {
  return { service, url: null, isReachable: false, version: null, detail: null, lifecycle: null, latencyMs: null, problem };
}
