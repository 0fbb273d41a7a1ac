import { z } from "zod";
import { schemeComplaint } from "./model-scheme.ts";
import { Name, ServiceUrl } from "./name.ts";
import { ProcessDeclaration } from "./process.ts";
import { ServerSettings } from "./server.ts";
import { Reference, settings } from "./setting.ts";
import { ToolDeclaration } from "./tool.ts";

const ConfigKey = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "Expected a key of capital letters, digits and underscores");

export const ConfigKind = z.enum(["frozen", "attachment", "secret"]);
export type ConfigKind = z.infer<typeof ConfigKind>;

export const ConfigDeclaration = z.strictObject({
  kind: ConfigKind.default("frozen").meta({
    description: "frozen: captured in the release; attachment: a service URL, captured per environment; secret: only its reference is recorded",
  }),
  type: z.enum(["string", "number", "integer", "boolean"]).default("string").meta({ description: "Type of the value" }),
  default: z.union([z.string(), z.number(), z.boolean()]).optional().meta({ description: "Value where no deploy sets one; not allowed for secrets" }),
  description: z.string().optional().meta({ description: "What the key means" }),
  optional: z.boolean().default(false).meta({ description: "Whether the key may stay unset" }),
  min: z.number().optional().meta({ description: "Smallest number allowed" }),
  max: z.number().optional().meta({ description: "Largest number allowed" }),
  enum: z.array(z.string()).min(1).optional().meta({ description: "The only strings allowed" }),
});
export type ConfigDeclaration = z.infer<typeof ConfigDeclaration>;

const chunkShape = {
  maxTokens: z.int().min(16).max(8192).optional().meta({ description: "Longest chunk, in tokens of the chunker; 400 by default" }),
  overlapTokens: z.int().min(0).max(4096).optional().meta({ description: "Tokens that neighbouring chunks of one section share; 50 by default" }),
};
const embedderShape = { embedder: ServiceUrl.default("hash:512").meta({ description: "Embedding model, such as hash:512" }) };
const sources = {
  source: z.array(z.string().min(1)).min(1).meta({ description: "Folders or files relative to the manifest, s3://bucket/prefix, or a feed of documents in a .jsonl file" }),
  include: z.array(z.string().min(1)).min(1).optional().meta({ description: "Globs of the files to read; every known format by default" }),
  exclude: z.array(z.string().min(1)).optional().meta({ description: "Globs of files to leave out" }),
  gitignore: z.boolean().optional().meta({ description: "Whether files that .gitignore names are left out; true by default" }),
};
const limitShape = {
  requestsAtOnce: z.int().min(1).max(256).optional().meta({ description: "Embedding requests under way at the same time; 8 by default, 16 for Titan on Bedrock" }),
  requestsPerMinute: z.int().min(1).optional().meta({ description: "Most embedding requests a minute" }),
  tokensPerMinute: z.int().min(1).optional().meta({ description: "Most tokens sent to the embedder a minute" }),
  usdPerMillionTokens: z.number().min(0).optional().meta({ description: "Price of the embedder, where twelve does not know it or yours differs" }),
};
/** One index as `twelve index` uses it, every `${KEY}` replaced. */
export const IndexSettings = z.strictObject({ ...sources, ...embedderShape, chunk: z.strictObject(chunkShape).optional(), embedding: z.strictObject(limitShape).optional() });
export type IndexSettings = z.infer<typeof IndexSettings>;
const placeField = {
  vectors: z.string().regex(/^\$\{[A-Z][A-Z0-9_]*\}$/, "Expected ${KEY} with a key of `config` of kind attachment, so that each environment attaches its own").optional()
    .meta({ description: "Where releases search it: ${KEY} of an attachment such as postgres://host/vectors or s3://bucket/prefix, to which `twelve index publish` loads it; empty or `lance:` is the embedded engine, which is the default" }),
};
const IndexDeclaration = z.strictObject({ ...sources, ...placeField, ...settings(embedderShape), chunk: z.strictObject(settings(chunkShape)).optional(), embedding: z.strictObject(settings(limitShape)).optional() });

const retrieveShape = {
  topK: z.int().min(1).max(100).default(5).meta({ description: "How many chunks to retrieve" }),
  mode: z.enum(["vector", "text", "hybrid"]).default("hybrid").meta({ description: "How to search" }),
  vectorWeight: z.number().min(0).optional().meta({ description: "What the vector ranking counts in a hybrid search; the embedder's own weight by default" }),
  textWeight: z.number().min(0).optional().meta({ description: "What the BM25 ranking counts in a hybrid search; 1 by default" }),
  minScore: z.number().optional().meta({ description: "Chunks with a lower score are left out; scores are cosine, BM25, fused ranks or the reranker's, by the last stage" }),
  reranker: ServiceUrl.optional().meta({ description: "Model that orders the best chunks anew, such as tei+http://127.0.0.1:8080" }),
  candidates: z.int().min(1).max(1000).optional().meta({ description: "How many chunks the reranker sees; 5 times topK by default, at least 25" }),
};
const filterField = {
  filter: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()])).min(1)])).optional().meta({ description: "Metadata that a chunk's document must have, such as `language: en`; a list means any of its values" }),
};
const agentShape = {
  variant: z.string().min(1).optional().meta({ description: "Prompt variant: answer.strict.prompt for strict; an empty configuration value means none" }),
  temperature: z.number().min(0).max(2).optional().meta({ description: "Sampling temperature" }),
  topP: z.number().min(0).max(1).optional().meta({ description: "Nucleus sampling mass" }),
  maxTokens: z.int().min(1).optional().meta({ description: "Longest answer, in tokens of the model" }),
  contextTokens: z.int().min(512).optional().meta({ description: "Window of the model, in tokens of what it is sent and what it answers together; of several models, the smallest. Kept conversations are trimmed to it, else to 8000 tokens" }),
  seed: z.int().optional().meta({ description: "Sampling seed, where the model takes one; equal output is not promised" }),
};
const modelDescription = "Model that answers, such as mock:extractive; or a list, of which each further model answers where those before it fail";
const ModelSettings = z.union([ServiceUrl, z.array(ServiceUrl).min(1)], { error: "Expected a service URL such as mock:extractive, or a list of them" }).meta({ description: modelDescription });
const ModelDeclaration = z.union([ServiceUrl, Reference, z.array(z.union([ServiceUrl, Reference])).min(1, "Expected at least one model")]).meta({ description: modelDescription });
const sessionShape = {
  historyTokens: z.int().min(1).optional().meta({ description: "How much of the earlier conversation the model is given, in tokens; the oldest turns are left out first. By default what fits into the agent's contextTokens, or 8000 where it has none" }),
  keepDays: z.number().positive().max(3650).optional().meta({ description: "How long a conversation is kept after its last turn; 30 days by default" }),
};
export const SessionSettings = z.union([z.boolean(), z.strictObject(sessionShape)]).default(false);
export const RunLimits = z.strictObject({
  steps: z.int().min(1).max(1000).optional().meta({ description: "Most model calls of one run; 20 by default" }),
  tokens: z.int().min(1).optional().meta({ description: "Most tokens of all its model calls, input and output" }),
  costUsd: z.number().positive().optional().meta({ description: "Most US dollars of all its model calls; a model without a known price is refused" }),
  seconds: z.number().positive().max(2_000_000).optional().meta({ description: "Longest time from start to end, waiting for approval left out" }),
});
export type RunLimits = z.infer<typeof RunLimits>;
const agentFields = {
  prompt: z.string().min(1).meta({ description: "Prompt name: answer for prompts/answer.prompt" }),
  stop: z.array(z.string()).max(4).optional().meta({ description: "Strings that end the answer" }),
  session: SessionSettings.meta({ description: "Keep conversations in the state service, for requests that name a session: true, or settings" }),
  tools: z.array(Name).min(1).optional().meta({ description: "Tools that the model may call; the agent then runs until it needs none any more" }),
  limits: RunLimits.optional().meta({ description: "Where a run with tools ends at the latest" }),
  description: z.string().optional().meta({ description: "What the agent is for" }),
};
const retrieveIndex = { index: Name.meta({ description: "Index to search" }) };
export const RetrieveSettings = z.strictObject({ ...retrieveIndex, ...filterField, ...retrieveShape });
/** One agent as a release freezes it, every `${KEY}` replaced. */
export const AgentSettings = z.strictObject({
  ...agentFields,
  model: ModelSettings,
  ...agentShape,
  retrieve: RetrieveSettings.optional(),
});
export type AgentSettings = z.infer<typeof AgentSettings>;
const AgentDeclaration = z.strictObject({
  ...agentFields,
  model: ModelDeclaration,
  ...settings(agentShape),
  retrieve: z.strictObject({ ...retrieveIndex, ...filterField, ...settings(retrieveShape) }).optional().meta({ description: "What to retrieve before the model is asked" }),
});

const Gate = z.strictObject({
  passRate: z.number().min(0).max(1).default(1).meta({ description: "Share of cases that must pass" }),
});
const EvalDeclaration = z.strictObject({
  suite: z.string().min(1).meta({ description: "Suite file in promptfoo's YAML" }),
  agent: Name.optional().meta({ description: "Agent to ask; the only one by default" }),
  gate: Gate.prefault({}).meta({ description: "What the suite must reach" }),
});

const ConfigSource = z.string().regex(/^[a-z]+:/, "Expected a configuration source such as dotenv:.env");
const EnvironmentDeclaration = z.strictObject({
  config: z.union([ConfigSource, z.array(ConfigSource).min(1)]).optional().meta({ description: "Where values live outside the process, such as dotenv:.env or ssm:/support/production; of several, the first that has a key gives it" }),
  requires: z.array(Name).default([]).meta({ description: "Eval suites that a release must have passed before it is promoted here" }),
});

const codeFields = {
  include: z.array(z.string()).default(["**"]).meta({ description: "Globs of tracked files to package" }),
  exclude: z.array(z.string()).default([]).meta({ description: "Globs of tracked files to leave out" }),
};

const LifecycleDeclaration = z.strictObject({
  endOfLife: z.iso.date().nullable().meta({ description: "Day from which the provider answers no more, such as 2027-01-31; null for a model without an end that you know of" }),
});

/** What follows `twelve index` and is no name of an index there. */
const indexCommands = ["list", "show", "verify", "diff", "status", "wait", "cancel", "publish"];
const IndexName = Name.refine((name) => !indexCommands.includes(name), { error: `\`twelve index\` has subcommands ${indexCommands.join(", ")}; an index needs another name` });

/** The whole of `twelve.yaml`. Readers get it with every default filled in and `${KEY}` still in place. */
export const Manifest = z
  .strictObject({
    name: Name.meta({ description: "Application name" }),
    code: z.strictObject(codeFields).prefault({}).meta({ description: "Which tracked files a build packages" }),
    prompts: z.array(z.string().min(1)).default(["prompts"]).meta({ description: "Folders of .prompt files; npm:@scope/name for a shared library" }),
    config: z.record(ConfigKey, ConfigDeclaration).default({}).meta({ description: "Everything that varies between deploys" }),
    indexes: z.record(IndexName, IndexDeclaration).default({}).meta({ description: "Indexes made from documents" }),
    agents: z.record(Name, AgentDeclaration).default({}).meta({ description: "Each is served as a model name of the HTTP API" }),
    tools: z.record(Name, ToolDeclaration).default({}).meta({ description: "Tools that agents may name" }),
    processes: z.record(Name, ProcessDeclaration).default({}).meta({ description: "Process types" }),
    server: ServerSettings.prefault({}).meta({ description: "What the HTTP server lets in" }),
    evals: z.record(Name, EvalDeclaration).default({}).meta({ description: "Eval suites and their gates" }),
    lifecycle: z.record(ServiceUrl.refine((reference) => !reference.includes("?"), { error: "Expected a reference without options, as in openai:gpt-5.2" }).refine((reference) => schemeComplaint(reference) === undefined, { error: ({ input }) => schemeComplaint(String(input)) }), LifecycleDeclaration).default({}).meta({ description: "What you know better about models than twelve's dated table, by reference without options" }),
    environments: z.record(Name, EnvironmentDeclaration).default({}).meta({ description: "Where releases are activated; development exists without being named" }),
  })
  .meta({ title: "twelve.yaml", description: "The manifest of an application that calls language models" });
export type Manifest = z.infer<typeof Manifest>;
