import { z } from "zod";
import { Citation } from "./chat-schema.ts";

const user = z.string().optional().meta({ description: "Whose sessions, of the caller's users" });
/** Query of `GET` and `DELETE /v1/sessions/{id}`. */
export const SessionQuery = z.strictObject({ user });
/** Query of `GET /v1/sessions`. */
export const SessionPage = z.strictObject({ user, after: z.string().min(1).optional(), limit: z.coerce.number().int().min(1).max(1000).optional() });

const seconds = z.int().meta({ description: "Seconds since 1970" });
const Call = z.strictObject({ id: z.string(), type: z.literal("function"), function: z.strictObject({ name: z.string(), arguments: z.string() }) });
const Part = z.union([z.strictObject({ type: z.literal("text"), text: z.string() }), z.strictObject({ type: z.literal("image_url"), image_url: z.strictObject({ url: z.string() }) })]);

/** In the form in which chat completions take and give messages. */
const SessionMessage = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.union([z.string(), z.array(Part)]),
  tool_calls: z.array(Call).optional(),
  tool_call_id: z.string().optional(),
});
export type SessionMessage = z.infer<typeof SessionMessage>;

const SessionTurn = z.strictObject({
  id: z.string(),
  created_at: seconds,
  model: z.string().nullable().meta({ description: "Name of the agent" }),
  status: z.string().meta({ description: "answered, or why there is no answer" }),
  messages: z.array(SessionMessage),
  citations: z.array(Citation),
});
export type SessionTurn = z.infer<typeof SessionTurn>;

export const SessionView = z
  .strictObject({ id: z.string(), object: z.literal("session"), expires_at: seconds.nullable(), turns: z.array(SessionTurn) })
  .meta({ title: "Session", description: "A conversation with its turns" });
export type SessionView = z.infer<typeof SessionView>;

export const SessionList = z
  .strictObject({
    object: z.literal("list"),
    data: z.array(z.strictObject({ id: z.string(), object: z.literal("session"), updated_at: seconds })),
    has_more: z.boolean(),
    next: z.string().nullable().meta({ description: "Given as `after` to go on" }),
  })
  .meta({ title: "SessionList", description: "The sessions of one user, by name" });
export type SessionList = z.infer<typeof SessionList>;

export const SessionDeleted = z.strictObject({ id: z.string(), object: z.literal("session.deleted"), deleted: z.literal(true) }).meta({ title: "SessionDeleted", description: "The session is gone" });
export type SessionDeleted = z.infer<typeof SessionDeleted>;
