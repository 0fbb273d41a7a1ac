import { z } from "zod";

export const Liveness = z.strictObject({ status: z.literal("ok") }).meta({ title: "Liveness", description: "The process lives" });

const Check = z.strictObject({ status: z.enum(["ok", "failed"]), detail: z.string() });
export const Readiness = z
  .strictObject({ status: z.enum(["ok", "failed", "draining"]), checks: z.record(z.string(), Check).optional().meta({ description: "Each part that answering needs, by its name; not for strangers" }) })
  .meta({ title: "Readiness", description: "Whether requests can be answered, part by part" });
