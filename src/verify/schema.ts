import { z } from "zod";

export const StoreProblem = z.strictObject({
  kind: z.enum(["missing", "damaged", "invalid"]).meta({
    description: "missing: the store does not have it; damaged: its bytes are not what its name says; invalid: it is no document that this version reads",
  }),
  subject: z.string().meta({ description: "Digest of the blob, or name of the ref" }),
  message: z.string(),
  referredBy: z.array(z.string()).meta({ description: "The artifacts and refs that name it" }),
  neededBy: z.array(z.string()).meta({ description: "Every ref that cannot be followed to its end without it" }),
});
export type StoreProblem = z.infer<typeof StoreProblem>;

export const VerifyReport = z
  .strictObject({
    store: z.string(),
    blobs: z.int().meta({ description: "How many blobs were read from end to end" }),
    bytes: z.int().meta({ description: "Size of the intact blobs together" }),
    refs: z.int().meta({ description: "How many refs were followed" }),
    unreferenced: z.int().meta({ description: "Intact blobs that nothing refers to, such as leftovers of commands that were interrupted" }),
    unknownRefs: z.array(z.string()).meta({ description: "Refs that this version of twelve has no use for; not followed" }),
    problems: z.array(StoreProblem).meta({ description: "Sorted by kind and subject" }),
  })
  .meta({ title: "VerifyReport", description: "What is missing or damaged in a store" });
export type VerifyReport = z.infer<typeof VerifyReport>;
