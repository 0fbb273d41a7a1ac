import { z } from "zod";
import { RunSummary } from "../agent/view-schema.ts";
import { JsonObject, mostEntries } from "./field.ts";

const RunId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, "Expected 1 to 100 letters, digits, dots, colons, hyphens and underscores");

/** A conversation, or its only message. */
const Input = z.union([
  z.string().min(1, "Expected the user's message").transform((content) => [{ role: "user" as const, content }]),
  z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() })).min(1, "At least one message is needed").max(mostEntries),
]);

/** Body of `POST /v1/agents/{name}/runs`. */
export const NewRunRequest = z
  .strictObject({
    input: Input.meta({ description: "The user's message, or the conversation whose last message is the question" }),
    variables: JsonObject.default({}).meta({ description: "Further variables of the agent's prompt" }),
    id: RunId.optional().meta({ description: "ID of the run, unique among the agent's runs: the same request with the same ID gives the same run" }),
    user: z.string().min(1).max(200).optional().meta({ description: "Whose run it is, for tools; the API key's name by default" }),
  })
  .meta({ title: "NewRunRequest", description: "Body of POST /v1/agents/{name}/runs" });

/** Body of `POST /v1/agents/{name}/runs/{id}/approvals`. */
export const ApprovalRequest = z
  .strictObject({
    call_id: z.string().min(1).meta({ description: "A call of `waiting_for`" }),
    approve: z.boolean(),
    reason: z.string().max(2000).nullish().meta({ description: "Told to the model with a refusal" }),
  })
  .meta({ title: "ApprovalRequest", description: "Body of POST /v1/agents/{name}/runs/{id}/approvals" });

/** Query of whatever looks at runs. */
export const RunQuery = z.strictObject({
  key: z.string().min(1).max(64).optional().meta({ description: "Name of the API key whose runs are meant: the caller's own by default, others with the scope approvals" }),
});

/** Query of `GET /v1/agents/{name}/runs`. */
export const RunPage = z.strictObject({
  key: RunQuery.shape.key.meta({ description: "Name of the API key whose runs are meant: the caller's own by default; others, or `*` for those of every key, with the scope approvals" }),
  status: RunSummary.shape.status.optional().meta({ description: "Only runs with this status, such as `waiting`" }),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  after: RunId.optional().meta({ description: "The last run of the page before" }),
  after_key: z.string().min(1).max(64).optional().meta({ description: "Whose run that is, by its `key`, where runs of every key are listed" }),
});

export const RunList = z.strictObject({ object: z.literal("list"), data: z.array(RunSummary), has_more: z.boolean() }).meta({ title: "RunList", description: "Runs of an agent, newest first" });
export type RunList = z.infer<typeof RunList>;

/** One event of a run's stream, under its type as the event's name and with its position as ID. The last is `run_finished`. */
export const RunEvent = z.looseObject({ type: z.string(), at: z.iso.datetime() }).meta({ title: "RunEvent", description: "One event of a run; its further fields depend on its type" });
