import { z } from "zod";
import { RunSummary, RunView } from "../agent/view-schema.ts";
import { Invocation, Ping } from "./agentcore-schema.ts";
import { ChatChunk, ChatCompletion } from "./chat-schema.ts";
import { EmbeddingList, EmbeddingRequest } from "./embeddings-schema.ts";
import { ErrorReply } from "./error-schema.ts";
import { Liveness, Readiness } from "./health-schema.ts";
import { ModelEntry, ModelList } from "./models-schema.ts";
import { ChatRequest } from "./request.ts";
import { ResponseRequest } from "./responses-request.ts";
import { ResponseEvent, ResponseObject } from "./responses-schema.ts";
import { ApprovalRequest, NewRunRequest, RunEvent, RunList } from "./runs-schema.ts";
import { SearchRequest, SearchResult } from "./search-schema.ts";
import { SessionDeleted, SessionList, SessionView } from "./sessions-schema.ts";

/** One thing that can be asked. */
interface Operation {
  readonly method: "get" | "post" | "delete";
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  /** By status; errors of 4xx and 5xx are the same everywhere. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** What each `data:` line of a stream holds, where `stream: true` gives one, or nothing else is given. */
  readonly event?: z.ZodType;
  /** What is given as plain text. */
  readonly text?: string;
  readonly parameters?: readonly Parameter[];
}

interface Parameter {
  readonly name: string;
  readonly in: "header" | "path" | "query";
  readonly description: string;
}

const session: Parameter = { name: "X-Session-Id", in: "header", description: "The session, for clients whose bodies are fixed" };
const trace: Parameter = { name: "traceparent", in: "header", description: "W3C trace context that the request belongs to" };

const agent: Parameter = { name: "name", in: "path", description: "Name of the agent" };
const run: readonly Parameter[] = [agent, { name: "id", in: "path", description: "ID of the run" }];
const page: readonly Parameter[] = [{ name: "limit", in: "query", description: "How many at most" }, { name: "after", in: "query", description: "Where the page before ended" }];
const keyOfRuns: Parameter = { name: "key", in: "query", description: "API key whose runs are meant: the caller's own by default, others with the scope approvals" };
const user: Parameter = { name: "user", in: "query", description: "Whose sessions, of the caller's users" };
const oneSession: Parameter = { name: "id", in: "path", description: "Name of the session" };
const once: Parameter = { name: "Idempotency-Key", in: "header", description: "The same request with the same key is answered once, and gets the same answer again" };
const lastEvent: Parameter = { name: "Last-Event-ID", in: "header", description: "The last event that was read: the stream goes on behind it" };
const ofRuns = "/v1/agents/{name}/runs";

/** Everything that is served; a new route has its row here. */
const operations: readonly Operation[] = [
  { method: "post", path: "/v1/chat/completions", summary: "Answer, as OpenAI's chat completions do", body: ChatRequest, answers: { 200: ChatCompletion }, event: ChatChunk, parameters: [session, once, trace] },
  { method: "post", path: "/v1/responses", summary: "Answer, as OpenAI's responses do", body: ResponseRequest, answers: { 200: ResponseObject }, event: ResponseEvent, parameters: [session, once, trace] },
  { method: "post", path: "/v1/embeddings", summary: "Give vectors by the embedder of an index", body: EmbeddingRequest, answers: { 200: EmbeddingList }, parameters: [trace] },
  { method: "post", path: "/v1/search", summary: "Find what an agent would be given for a question; no model is asked", body: SearchRequest, answers: { 200: SearchResult }, parameters: [trace] },
  { method: "get", path: "/v1/models", summary: "List agents and indexes", answers: { 200: ModelList } },
  { method: "get", path: "/v1/models/{id}", summary: "Describe an agent or an index", answers: { 200: ModelEntry }, parameters: [{ name: "id", in: "path", description: "Its name" }] },
  { method: "post", path: ofRuns, summary: "Start a run of an agent with tools", body: NewRunRequest, answers: { 202: RunView }, parameters: [agent, trace] },
  { method: "get", path: ofRuns, summary: "List the runs of an agent", answers: { 200: RunList }, parameters: [agent, ...page, keyOfRuns] },
  { method: "get", path: `${ofRuns}/{id}`, summary: "Show a run with its steps", answers: { 200: RunView }, parameters: [...run, keyOfRuns] },
  { method: "get", path: `${ofRuns}/{id}/events`, summary: "Follow a run", answers: {}, event: RunEvent, parameters: [...run, keyOfRuns, lastEvent] },
  { method: "post", path: `${ofRuns}/{id}/cancel`, summary: "Cancel a run", answers: { 200: RunView }, parameters: run },
  { method: "post", path: `${ofRuns}/{id}/approvals`, summary: "Approve or refuse a call of a tool", body: ApprovalRequest, answers: { 200: RunView }, parameters: [...run, keyOfRuns] },
  { method: "get", path: "/v1/sessions", summary: "List the sessions of a user", answers: { 200: SessionList }, parameters: [user, ...page] },
  { method: "get", path: "/v1/sessions/{id}", summary: "Show a session with its turns", answers: { 200: SessionView }, parameters: [oneSession, user] },
  { method: "delete", path: "/v1/sessions/{id}", summary: "Delete a session", answers: { 200: SessionDeleted }, parameters: [oneSession, user] },
  { method: "get", path: "/livez", summary: "Say that the process lives", answers: { 200: Liveness } },
  { method: "get", path: "/readyz", summary: "Say whether it can answer, part by part", answers: { 200: Readiness, 503: Readiness } },
  { method: "get", path: "/metrics", summary: "Give the figures of the process", answers: {}, text: "In the text format of Prometheus" },
  { method: "post", path: "/invocations", summary: "Answer, as Amazon Bedrock AgentCore asks; with `twelve run --agentcore`", body: Invocation, answers: { 200: ChatCompletion }, event: ChatChunk },
  { method: "get", path: "/ping", summary: "Say whether an invocation is under way; with `twelve run --agentcore`", answers: { 200: Ping } },
];

type JsonObject = Readonly<Record<string, unknown>>;

/** OpenAPI 3.1, whose schemas are JSON Schema as Zod gives it. */
export function openApiDocument(): JsonObject {
  const requests = operations.flatMap(({ body }) => body ?? []);
  const replies = operations.flatMap(({ answers, event }) => [...Object.values(answers), ...(event === undefined ? [] : [event])]);
  const paths = Object.entries(Object.groupBy(operations, ({ path }) => path));
  return {
    openapi: "3.1.1",
    info: { title: "twelve run", version: "1", description: "The HTTP API of a release. Fields of OpenAI's API that are not listed are refused." },
    security: [{}, { key: [] }],
    paths: Object.fromEntries(paths.map(([path, group = []]) => [path, Object.fromEntries(group.map((operation) => [operation.method, describe(operation)]))])),
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "Where the application declares API keys" } },
      schemas: { ...schemasOf(requests, "input"), ...schemasOf([...replies, RunSummary, ErrorReply], "output") },
    },
  };
}

function describe({ method, path, summary, body, answers, event, text, parameters }: Operation): JsonObject {
  const stream = event === undefined ? {} : { "text/event-stream": { schema: { type: "string", description: `Server-sent events, each with one ${titleOf(event)} as its data` }, "x-event": reference(event) } };
  const whole = Object.entries(answers).map(([status, schema]) => [status, { description: descriptionOf(schema), content: { ...json(schema), ...stream } }] as const);
  const plain = text === undefined ? { description: "The events as they come", content: stream } : { description: text, content: { "text/plain": { schema: { type: "string" } } } };
  const responses = whole.length === 0 ? [["200", plain] as const] : whole;
  return {
    operationId: `${method}${path.replace("/v1", "").replaceAll(/[^a-z]+([a-z]?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    ...(parameters === undefined ? {} : { parameters: parameters.map((parameter) => ({ ...parameter, required: parameter.in === "path", schema: { type: "string" } })) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: json(body) } }),
    responses: { ...Object.fromEntries(responses), default: { description: descriptionOf(ErrorReply), content: json(ErrorReply) } },
  };
}

function json(schema: z.ZodType): JsonObject {
  return { "application/json": { schema: reference(schema) } };
}

/** Each under its title; one that stands in another is referred to. */
function schemasOf(schemas: readonly z.ZodType[], io: "input" | "output"): JsonObject {
  const registry = z.registry<{ readonly id: string }>();
  for (const schema of new Set(schemas)) registry.add(schema, { id: titleOf(schema) });
  const described = z.toJSONSchema(registry, { io, uri: componentOf }).schemas;
  return Object.fromEntries(Object.entries(described).map(([title, { $schema: __, $id: ___, ...schema }]) => [title, schema]));
}

function componentOf(title: string): string {
  return `#/components/schemas/${title}`;
}

function reference(schema: z.ZodType): JsonObject {
  return { $ref: componentOf(titleOf(schema)) };
}

function titleOf(schema: z.ZodType): string {
  return String(schema.meta()?.["title"]);
}

function descriptionOf(schema: z.ZodType): string {
  return String(schema.meta()?.description);
}
