import { z } from "zod";

/** An error as OpenAI's API gives it, with the trace that its log line has. */
export const ErrorReply = z
  .strictObject({
    error: z.strictObject({
      message: z.string().meta({ description: "What is wrong, where, and what there is instead" }),
      type: z.enum(["invalid_request_error", "requests", "server_error"]),
      param: z.string().nullable().meta({ description: "The field that is wrong, where it is one" }),
      code: z.string().nullable(),
      trace_id: z.string().meta({ description: "Under which the log has the details" }),
    }),
  })
  .meta({ title: "Error", description: "An error; with 429 and 503 the header Retry-After says when to ask again" });
export type ErrorReply = z.infer<typeof ErrorReply>;
