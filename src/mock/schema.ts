import { z } from "zod";
import { Metadata } from "../ports/document.ts";
import { type ScriptedCode, scriptedCodes } from "./code.ts";

const Wait = z.number().min(0).max(86_400_000);
const paceFields = {
  latencyMs: Wait.optional().meta({ description: "Milliseconds up to the first chunk" }),
  msPerChunk: Wait.optional().meta({ description: "Milliseconds after each chunk" }),
  msPerToken: Wait.optional().meta({ description: "Milliseconds for each token that is said" }),
};

const Pattern = z.string().min(1).refine(isPattern, "Not a regular expression of JavaScript");
const Text = z.string().min(1);

const When = z.strictObject({
  agent: z.union([Text, z.array(Text).min(1)]).optional().meta({ description: "Who is asked, as the `model` of the request names it; one of these, where it is a list" }),
  equals: z.string().optional().meta({ description: "The last user message, word for word" }),
  contains: Text.optional().meta({ description: "Text in the last user message, upper and lower case alike" }),
  matches: Pattern.optional().meta({ description: "Regular expression that fits somewhere in the last user message, upper and lower case alike" }),
  turn: z.int().min(1).optional().meta({ description: "1 for the first answer of a conversation, 2 after one answer" }),
  tool: Text.optional().meta({ description: "Name of the tool whose result came last" }),
  result: Text.optional().meta({ description: "Text in the result of the tool that came last, upper and lower case alike" }),
  earlier: z.string().regex(/^[0-9a-f]{12}$/).optional().meta({ description: "Digest of what was said before, as recordings have it" }),
  call: z.int().min(1).optional().meta({ description: "Only the nth of the requests that everything else here fits, counted in each process" }),
  every: z.int().min(2).optional().meta({ description: "Each nth of them" }),
  share: z.number().gt(0).lt(1).optional().meta({ description: "This share of them, such as 0.1, drawn by `seed`" }),
});
export type When = z.infer<typeof When>;

const Chunk = z.union([z.string(), z.strictObject({ text: z.string(), afterMs: Wait.meta({ description: "Milliseconds since the chunk before" }) })]);
export type ScriptedChunk = z.infer<typeof Chunk>;

const Call = z
  .strictObject({
    name: z.string().min(1),
    arguments: z.union([z.record(z.string(), z.json()), z.string()]).default({}).meta({ description: "A mapping, or any text to play a model that writes bad JSON" }),
    chunks: z.array(Chunk).min(1).optional().meta({ description: "The arguments in the very pieces in which they are streamed" }),
    id: z.string().min(1).optional().meta({ description: "call_<turn>_<number> by default" }),
  })
  .refine((call) => call.chunks === undefined || Object.keys(call.arguments).length === 0, "Give either `arguments` or `chunks`");
export type ScriptedCall = z.infer<typeof Call>;

const ways = ["code", "status", "reset", "hang"] as const;

const Fail = z
  .strictObject({
    code: z.enum(scriptedCodes as readonly [ScriptedCode, ...ScriptedCode[]]).optional().meta({ description: "Failure to end with" }),
    status: z.int().min(400).max(599).optional().meta({ description: "HTTP status that stands for a failure, such as 429 or 503; a mock server answers with it" }),
    reset: z.literal(true).optional().meta({ description: "The connection breaks off" }),
    hang: z.literal(true).optional().meta({ description: "Nothing more comes, until the client goes away" }),
    message: z.string().min(1).optional(),
    errorCode: z.string().min(1).optional().meta({ description: "What a mock server gives as `error.code`, such as context_length_exceeded; the failure's own by default" }),
    afterTokens: z.int().min(1).optional().meta({ description: "Tokens of the text that come before; none by default" }),
    afterChunks: z.int().min(1).optional().meta({ description: "Chunks that come before: those of the text, then the pieces of the calls; none by default" }),
    retryAfterMs: z.int().min(0).optional().meta({ description: "What the service asks to wait" }),
    times: z.int().min(1).optional().meta({ description: "How often this reply fails before it succeeds, counted in each process; always by default" }),
  })
  .refine((fail) => ways.filter((way) => fail[way] !== undefined).length === 1, "Give one of `code`, `status`, `reset` and `hang`")
  .refine(({ afterTokens, afterChunks }) => afterTokens === undefined || afterChunks === undefined, "Give either `afterTokens` or `afterChunks`");
export type Fail = z.infer<typeof Fail>;

/** What retrieval is to have found. */
const Passage = z.strictObject({
  document: Text.meta({ description: "Path or address of the document" }),
  text: Text,
  headings: z.string().default(""),
  id: z.string().min(1).optional().meta({ description: "The document and its place in the list by default" }),
  score: z.number().default(1),
  metadata: Metadata.default({}),
});
export type ScriptedPassage = z.infer<typeof Passage>;
const passages = z.array(Passage).min(1).optional();

const answerFields = {
  think: z.string().optional().meta({ description: "Reasoning, which is no part of the answer" }),
  say: z.string().optional().meta({ description: "Text of the answer; it is streamed word by word" }),
  json: z.json().optional().meta({ description: "A value that is said as JSON" }),
  chunks: z.array(Chunk).min(1).optional().meta({ description: "The text in the very pieces in which it is streamed" }),
  passages: passages.meta({ description: "What the text cites as [1], [2] and so on" }),
  callTools: z.array(Call).min(1).optional(),
  finish: z.enum(["stop", "length", "content_filter", "tool_calls"]).optional().meta({ description: "tool_calls where tools are called, else stop" }),
  usage: z
    .strictObject({ inputTokens: z.int().min(0).optional(), outputTokens: z.int().min(0).optional(), cachedInputTokens: z.int().min(0).optional() })
    .optional()
    .meta({ description: "Tokens to report instead of those that were counted" }),
  ...paceFields,
  fail: Fail.optional(),
};
const texts = ["say", "json", "chunks"] as const;
const actions = ["think", ...texts, "callTools", "fail"] as const;
type Written = Readonly<Record<string, unknown>>;
const isAction = (answer: Written): boolean => actions.some((action) => answer[action] !== undefined);
const hasOneText = (answer: Written): boolean => texts.filter((text) => answer[text] !== undefined).length < 2;
const nothing = "A reply needs `say`, `json`, `chunks`, `callTools` or `fail`";
const twoTexts = "Give one of `say`, `json` and `chunks`";

const Answer = z.strictObject(answerFields).refine(isAction, nothing).refine(hasOneText, twoTexts);
export type ScriptedAnswer = z.infer<typeof Answer>;

const Reply = z
  .strictObject({
    when: When.optional().meta({ description: "All that is named must hold; a reply without it fits everything" }),
    ...answerFields,
    sequence: z.array(Answer).min(1).optional().meta({ description: "Answers to one user message, one after the other: the second is given once the tools of the first have answered" }),
  })
  .refine((reply) => reply.sequence !== undefined || isAction(reply), `${nothing}, or a \`sequence\` of such`)
  .refine(hasOneText, twoTexts)
  .refine((reply) => reply.sequence === undefined || !Object.keys(answerFields).some((field) => Object.hasOwn(reply, field)), "Write everything but `when` into the items of `sequence`");
export type ScriptedReply = z.infer<typeof Reply>;

const ScriptedTool = z.strictObject({
  result: z.json().default("").meta({ description: "What each call of it gives: a text, or a value as JSON" }),
  isError: z.boolean().default(false).meta({ description: "The call fails, and the result says why" }),
  approve: z.boolean().default(false).meta({ description: "A person must approve each call" }),
  idempotent: z.boolean().default(true).meta({ description: "As the tool that it stands for" }),
  latencyMs: Wait.default(0).meta({ description: "How long a call takes" }),
});
export type ScriptedTool = z.infer<typeof ScriptedTool>;

/** The file behind `mock:script:<file>` and `--answers`. The first reply that fits is given. */
export const Script = z
  .strictObject({
    model: z.string().min(1).optional().meta({ description: "Name that answers are given under; script:<file> by default" }),
    seed: z.int().default(0).meta({ description: "Decides which requests `share` draws" }),
    ...paceFields,
    tools: z.record(z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "Expected 1 to 64 letters, digits, underscores and hyphens"), ScriptedTool).optional().meta({ description: "Tools of the agents that `twelve mock` plays: it calls them itself, and has runs" }),
    passages: passages.meta({ description: "What replies cite that have no passages of their own, and what /v1/search of `twelve mock` finds" }),
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
