import { z } from "zod";
import { TwelveError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { withoutCredentials } from "../../core/url.ts";
import { modelFolder } from "../../models/read.ts";

/** What the library calls a precision of the weights, with the end of the file's name. */
export const weightEndings = {
  fp32: "", fp16: "_fp16", q8: "_quantized", int8: "_int8", uint8: "_uint8", q4: "_q4", q4f16: "_q4f16", bnb4: "_bnb4",
} as const;
export type Precision = keyof typeof weightEndings;
export const PrecisionName = z.enum(Object.keys(weightEndings) as [Precision, ...Precision[]]);

export interface FolderReference<Options> {
  /** Below the application's folder. */
  readonly folder: string;
  readonly options: Options;
}

/** `transformers:models/e5?dtype=q8`. Fails with SERVICE_UNSUPPORTED; `what` the model is says its message. */
export function readFolderReference<Shape extends z.ZodRawShape>(reference: string, schema: z.ZodObject<Shape>, what: string): FolderReference<z.output<z.ZodObject<Shape>>> {
  const [, path = "", query = ""] = /^transformers:([^?]*)(?:\?(.*))?$/s.exec(reference) ?? [];
  const shown = withoutCredentials(reference);
  const folder = modelFolder(path);
  if (folder === undefined) throw refused(`${shown} names no folder below the application's folder`, "Write transformers:models/<name>, for example");
  const given = Object.fromEntries(new URLSearchParams(query));
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refused(`${shown} has the unknown option ${unknown}.${didYouMean(unknown, known)}`, `Use ${known.join(", ")}`);
  const options = schema.safeParse(given);
  if (options.success) return { folder, options: options.data };
  const [issue] = options.error.issues;
  throw refused(`${shown} has a wrong ${String(issue?.path[0])}: ${issue?.message}`, `Correct the ${what}'s URL`);
}

function refused(message: string, fix: string): TwelveError {
  return new TwelveError("SERVICE_UNSUPPORTED", message, { fix });
}
