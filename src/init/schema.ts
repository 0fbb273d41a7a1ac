import { z } from "zod";

/** What `twelve init` made. */
export const Application = z
  .strictObject({
    app: z.string().meta({ description: "Application name, as twelve.yaml has it" }),
    folder: z.string().meta({ description: "Where it was written, absolute" }),
    template: z.string(),
    files: z.array(z.string()).meta({ description: "Files written, sorted, with forward slashes" }),
    repository: z.enum(["created", "enclosing", "missing"]).meta({
      description: "created: a new git repository; enclosing: the folder is part of an existing one; missing: there is no git",
    }),
    commit: z.string().nullable().meta({ description: "The first commit; null when none was made" }),
  })
  .meta({ title: "Application", description: "A new application" });
export type Application = z.infer<typeof Application>;
