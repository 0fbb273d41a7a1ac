import { z } from "zod";

const AssertionDeclaration = z.strictObject({
  type: z.string().meta({ description: "What is checked, such as icontains; not- in front turns it around" }),
  value: z.json().optional().meta({ description: "What the answer is compared with" }),
  threshold: z.number().optional().meta({ description: "Least similarity or script score; most milliseconds or US dollars" }),
  weight: z.number().positive("Expected a weight above 0: an assertion without weight can never fail").optional().meta({ description: "Share of the assertion in the score; 1 by default" }),
});
export type AssertionDeclaration = z.infer<typeof AssertionDeclaration>;

const Threshold = z.number().gt(0, "Expected a threshold above 0: every score reaches 0, so the case could never fail").max(1, "Expected a threshold of at most 1");
const testFields = {
  vars: z.record(z.string(), z.json()).optional().meta({ description: "Variables of the case; a list makes one case for each of its values" }),
  assert: z.array(AssertionDeclaration).optional().meta({ description: "What the answer must fulfil" }),
  threshold: Threshold.optional().meta({ description: "Score that is enough to pass; without it every assertion must pass" }),
  metadata: z.record(z.string(), z.json()).optional().meta({ description: "Copied into the report" }),
  options: z.strictObject({
    disableVarExpansion: z.boolean().optional().meta({ description: "Whether a list is one value instead of one case for each of its values" }),
  }).optional(),
};
const TestDeclaration = z.strictObject({ description: z.string().optional().meta({ description: "Name of the case" }), ...testFields });
export type TestDeclaration = z.infer<typeof TestDeclaration>;

/** An eval suite: the part of promptfoo's YAML that twelve understands. */
export const Suite = z
  .strictObject({
    description: z.string().optional().meta({ description: "What the suite is about" }),
    tests: z.array(TestDeclaration).min(1, "Expected at least one test").meta({ description: "The cases" }),
    defaultTest: z.strictObject(testFields).optional().meta({ description: "What every case has in common" }),
    evaluateOptions: z.strictObject({
      maxConcurrency: z.int().min(1).max(1000).optional().meta({ description: "How many cases are asked at once" }),
    }).optional(),
  })
  .meta({ title: "Eval suite", description: "Cases with assertions, in a subset of promptfoo's YAML" });
export type Suite = z.infer<typeof Suite>;

const agentDecides = "Take it out: the agent and the release give the prompt and the model";
/** Keys of promptfoo that a reader may expect to work, and what to do instead. */
export const foreignKeys: Readonly<Record<string, string>> = {
  prompts: agentDecides,
  prompt: agentDecides,
  providers: agentDecides,
  provider: agentDecides,
  targets: agentDecides,
  scenarios: "Write the cases under `tests`",
  assertionTemplates: "Use a YAML anchor (&name, *name)",
  $ref: "Use a YAML anchor (&name, *name)",
  outputPath: "Use `twelve eval --json > report.json`",
  env: "Declare the key under `config:` in twelve.yaml",
  transform: "Check the answer as it is, with a javascript assertion if need be",
  metric: "Use `metadata` on the test",
  tests: "Write the cases of the nested list one level up",
};

/** Assertion types of promptfoo that twelve has no counterpart for. Named, so that a typo and a gap read differently. */
export const foreignTypes: ReadonlySet<string> = new Set(
  ("agent-rubric answer-relevance assert-set bleu classifier contains-html contains-json contains-sql contains-xml context-faithfulness context-recall " +
    "context-relevance conversation-relevance factuality finish-reason g-eval gleu guardrails human is-html is-refusal is-sql is-valid-function-call " +
    "is-valid-openai-function-call is-valid-openai-tools-call is-xml levenshtein llm-rubric max-score meteor model-graded-closedqa model-graded-factuality " +
    "moderation perplexity perplexity-score pi python rouge-n ruby search-rubric select-best similar:dot similar:euclidean skill-used tool-call-f1 " +
    "trace-error-spans trace-span-count trace-span-duration trajectory:goal-success trajectory:step-count trajectory:tool-args-match " +
    "trajectory:tool-sequence trajectory:tool-used webhook word-count").split(" "),
);
