import { z } from "zod";

export const ModelEntry = z
  .strictObject({
    id: z.string().meta({ description: "Name of an agent or an index" }),
    object: z.literal("model"),
    created: z.int().meta({ description: "When the process started, in seconds since 1970" }),
    owned_by: z.enum(["twelve-agent", "twelve-index"]).meta({ description: "What it is: agents answer, indexes embed" }),
  })
  .meta({ title: "Model", description: "What a request may name as its model" });
export type ModelEntry = z.infer<typeof ModelEntry>;

export const ModelList = z.strictObject({ object: z.literal("list"), data: z.array(ModelEntry) }).meta({ title: "ModelList", description: "Every agent and index" });
export type ModelList = z.infer<typeof ModelList>;
