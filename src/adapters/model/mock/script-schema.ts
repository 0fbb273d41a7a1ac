import { z } from "zod";

/** The ways in which a service can fail, and whether the same call may succeed later. */
const mayPass = {
  SERVICE_UNAUTHENTICATED: false,
  SERVICE_DENIED: false,
  SERVICE_NOT_FOUND: false,
  SERVICE_LIMITED: true,
  SERVICE_QUOTA: false,
  SERVICE_REJECTED: false,
  SERVICE_FILTERED: false,
  SERVICE_TIMEOUT: true,
  SERVICE_UNAVAILABLE: true,
  SERVICE_CUT: true,
  SERVICE_FAILED: false,
} as const;
export type ScriptedCode = keyof typeof mayPass;
const codes = Object.keys(mayPass) as readonly ScriptedCode[];

export function isPassing(code: ScriptedCode): boolean {
  return mayPass[code];
}

const Wait = z.number().min(0).max(86_400_000);
const paceFields = {
  latencyMs: Wait.optional().meta({ description: "Milliseconds up to the first chunk" }),
  msPerToken: Wait.optional().meta({ description: "Milliseconds for each token that is said" }),
};

const Pattern = z.string().min(1).refine(isPattern, "Not a regular expression of JavaScript");

const When = z.strictObject({
  contains: z.string().min(1).optional().meta({ description: "Text in the last user message, upper and lower case alike" }),
  matches: Pattern.optional().meta({ description: "Regular expression that fits somewhere in the last user message, upper and lower case alike" }),
  turn: z.int().min(1).optional().meta({ description: "1 for the first answer of a conversation, 2 after one answer" }),
  tool: z.string().min(1).optional().meta({ description: "Name of the tool whose result came last" }),
});
export type When = z.infer<typeof When>;

const Call = z.strictObject({
  name: z.string().min(1),
  arguments: z.union([z.record(z.string(), z.json()), z.string()]).default({}).meta({ description: "A mapping, or any text to play a model that writes bad JSON" }),
  id: z.string().min(1).optional().meta({ description: "call_<turn>_<number> by default" }),
});

const Fail = z
  .strictObject({
    code: z.enum(codes).optional().meta({ description: "Failure to end with" }),
    status: z.int().min(400).max(599).optional().meta({ description: "HTTP status that stands for a failure, such as 429 or 503" }),
    message: z.string().min(1).optional(),
    afterTokens: z.int().min(1).optional().meta({ description: "Tokens of `say` that come before; none by default" }),
    retryAfterMs: z.int().min(0).optional().meta({ description: "What the service asks to wait" }),
    times: z.int().min(1).optional().meta({ description: "How often this reply fails before it succeeds, counted in each process; always by default" }),
  })
  .refine(({ code, status }) => (code === undefined) !== (status === undefined), "Give either `code` or `status`");
export type Fail = z.infer<typeof Fail>;

const answerFields = {
  think: z.string().optional().meta({ description: "Reasoning, which is no part of the answer" }),
  say: z.string().optional().meta({ description: "Text of the answer" }),
  callTools: z.array(Call).min(1).optional(),
  finish: z.enum(["stop", "length", "content_filter", "tool_calls"]).optional().meta({ description: "tool_calls where tools are called, else stop" }),
  usage: z
    .strictObject({ inputTokens: z.int().min(0).optional(), outputTokens: z.int().min(0).optional(), cachedInputTokens: z.int().min(0).optional() })
    .optional()
    .meta({ description: "Tokens to report instead of those that were counted" }),
  ...paceFields,
  fail: Fail.optional(),
};
const actions = ["think", "say", "callTools", "fail"] as const;
const isAction = (answer: Readonly<Record<string, unknown>>): boolean => actions.some((action) => answer[action] !== undefined);
const nothing = "A reply needs `say`, `callTools` or `fail`";

const Answer = z.strictObject(answerFields).refine(isAction, nothing);
export type ScriptedAnswer = z.infer<typeof Answer>;

const Reply = z
  .strictObject({
    when: When.optional().meta({ description: "All that is named must hold; a reply without it fits everything" }),
    ...answerFields,
    sequence: z.array(Answer).min(1).optional().meta({ description: "Answers to one user message, one after the other: the second is given once the tools of the first have answered" }),
  })
  .refine((reply) => reply.sequence !== undefined || isAction(reply), `${nothing}, or a \`sequence\` of such`)
  .refine((reply) => reply.sequence === undefined || !Object.keys(answerFields).some((field) => Object.hasOwn(reply, field)), "Write everything but `when` into the items of `sequence`");
export type ScriptedReply = z.infer<typeof Reply>;

/** The file behind `mock:script:<file>`. The first reply that fits is given. */
export const Script = z
  .strictObject({
    model: z.string().min(1).optional().meta({ description: "Name that answers are given under; script:<file> by default" }),
    ...paceFields,
    replies: z.array(Reply).min(1),
  })
  .meta({ title: "Script", description: "What a mock model answers" });
export type Script = z.infer<typeof Script>;

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "iu").source !== "";
  } catch {
    return false;
  }
}
