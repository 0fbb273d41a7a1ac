import { z } from "zod";

/** A passage that an answer cites: a further field, which clients of other servers do not look at. */
export const Citation = z.strictObject({
  number: z.int().positive().meta({ description: "As the text cites it: 1 for [1]" }),
  document: z.string(),
  headings: z.string().meta({ description: "Headings above the passage" }),
  chunk: z.string().meta({ description: "ID of the chunk, as the log and /v1/search have it" }),
  score: z.number().meta({ description: "Of the last stage of retrieval" }),
});
export type Citation = z.infer<typeof Citation>;

const Citations = z.array(Citation).meta({ description: "The passages that the text cites, in order of first mention; an extension of twelve" });
const Call = z.strictObject({ id: z.string(), type: z.literal("function"), function: z.strictObject({ name: z.string(), arguments: z.string().meta({ description: "JSON as the model wrote it" }) }) });
const Finish = z.enum(["stop", "length", "content_filter", "tool_calls", "error"]);
const Usage = z.strictObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.strictObject({ cached_tokens: z.int() }),
});
const head = {
  id: z.string(),
  created: z.int().meta({ description: "Seconds since 1970" }),
  model: z.string().meta({ description: "Name of the agent" }),
  system_fingerprint: z.string().meta({ description: "Number and digest of the release: it changes whenever the answers may" }),
};

/** The whole answer at once. */
export const ChatCompletion = z
  .strictObject({
    ...head,
    object: z.literal("chat.completion"),
    choices: z.array(
      z.strictObject({
        index: z.literal(0),
        message: z.strictObject({ role: z.literal("assistant"), content: z.string().nullable(), refusal: z.null(), tool_calls: z.array(Call).optional(), citations: Citations }),
        logprobs: z.null(),
        finish_reason: Finish,
      }),
    ),
    usage: Usage,
  })
  .meta({ title: "ChatCompletion", description: "A whole answer" });
export type ChatCompletion = z.infer<typeof ChatCompletion>;

const CallDelta = z.strictObject({
  index: z.int().meta({ description: "Which call of the message it is a piece of" }),
  id: z.string().optional().meta({ description: "In the first piece of a call, as type and name are" }),
  type: z.literal("function").optional(),
  function: z.strictObject({ name: z.string().optional(), arguments: z.string().meta({ description: "What comes next of them" }) }),
});

const Delta = z.strictObject({
  role: z.literal("assistant").optional(),
  content: z.string().optional(),
  refusal: z.null().optional(),
  tool_calls: z.array(CallDelta).optional().meta({ description: "Pieces of calls, as they come" }),
  citations: Citations.optional().meta({ description: "In the last chunk of the text; an extension of twelve" }),
});

/** One `data:` line of a stream, which ends with `data: [DONE]`. */
export const ChatChunk = z
  .strictObject({
    ...head,
    object: z.literal("chat.completion.chunk"),
    choices: z.array(z.strictObject({ index: z.literal(0), delta: Delta, logprobs: z.null(), finish_reason: Finish.nullable() })).meta({ description: "Empty in the chunk that carries the usage" }),
    usage: Usage.nullable().optional().meta({ description: "Where stream_options.include_usage asks for it: the last chunk has it, the others null" }),
  })
  .meta({ title: "ChatChunk", description: "One event of a streamed answer" });
export type ChatChunk = z.infer<typeof ChatChunk>;
