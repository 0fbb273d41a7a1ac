import { z } from "zod";
import { type FolderReference, PrecisionName, readFolderReference } from "../../transformers/reference.ts";

/** How the vectors of a text's tokens become one. */
export const Pooling = z.enum(["mean", "cls", "last_token"]);
export type Pooling = z.infer<typeof Pooling>;

const Options = z.strictObject({
  pooling: Pooling.optional(),
  queryPrefix: z.string().optional(),
  documentPrefix: z.string().optional(),
  dtype: PrecisionName.optional(),
});
export type Options = z.infer<typeof Options>;

/** `transformers:models/e5?pooling=mean&queryPrefix=query:%20`. What is left out is read from the model's folder. */
export function parseReference(reference: string): FolderReference<Options> {
  return readFolderReference(reference, Options, "embedder");
}
