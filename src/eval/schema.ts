import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";

export const AssertionResult = z.strictObject({
  type: z.string().meta({ description: "Assertion type, such as icontains" }),
  pass: z.boolean(),
  score: z.number().min(0).max(1),
  weight: z.number(),
  reason: z.string().meta({ description: "Why it passed or failed, with the values in hand" }),
});
export type AssertionResult = z.infer<typeof AssertionResult>;

export const CaseResult = z.strictObject({
  number: z.int().positive(),
  description: z.string().nullable(),
  vars: z.record(z.string(), z.json()),
  metadata: z.record(z.string(), z.json()),
  model: z.string().optional().meta({ description: "The model that answered, where it is not the report's" }),
  output: z.string().nullable().meta({ description: "The answer; null when the call failed" }),
  error: z.string().nullable().meta({ description: "What failed; null when there is an answer" }),
  verdict: z.enum(["pass", "fail", "error"]),
  score: z.number().min(0).max(1).meta({ description: "Weighted mean of the assertions" }),
  assertions: z.array(AssertionResult),
  latencyMs: z.number(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number().nullable().meta({ description: "null when the price is unknown" }),
  retrieved: z.array(z.strictObject({ id: z.string(), document: z.string(), score: z.number() })),
});
export type CaseResult = z.infer<typeof CaseResult>;

/** What a suite measured on one release; bound to both by digest. */
export const EvalReport = z
  .strictObject({
    version: z.literal(1),
    app: z.string(),
    suite: z.string().meta({ description: "Name of the suite in the manifest" }),
    suiteDigest: Digest,
    suiteFiles: z.record(z.string(), Digest).meta({ description: "The suite and the files it refers to, by path below the application folder" }),
    release: Descriptor,
    agent: z.string(),
    model: z.string().meta({ description: "The agent's model; the first one of a chain" }),
    cases: z.array(CaseResult),
    passed: z.int(),
    failed: z.int(),
    errored: z.int(),
    passRate: z.number().min(0).max(1),
    score: z.number().min(0).max(1).meta({ description: "Mean score of the cases" }),
    gate: z.strictObject({ passRate: z.number() }),
    pass: z.boolean().meta({ description: "Whether the gate holds" }),
    createdAt: z.iso.datetime(),
  })
  .meta({ title: "EvalReport", description: "Scores of one release on one suite" });
export type EvalReport = z.infer<typeof EvalReport>;
export const evalReportKind = { mediaType: "application/vnd.twelve.eval-report.v1+json", schema: EvalReport } as const;

/** The ref value of the newest report of a suite on a release. */
export const ReportPointer = z.strictObject({ report: Descriptor });
export const reportPointerKind = { mediaType: "report pointer", schema: ReportPointer } as const;
