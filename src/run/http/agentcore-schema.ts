import { z } from "zod";
import { ChatRequest } from "./request.ts";

/** Body of `POST /invocations`: that of a chat, with shorter ways to say it. */
export const Invocation = z
  .strictObject({
    ...ChatRequest.shape,
    model: ChatRequest.shape.model.optional().meta({ description: "Name of an agent; the first one of the process by default" }),
    messages: ChatRequest.shape.messages.optional(),
    prompt: z.string().optional().meta({ description: "The question, instead of messages" }),
  })
  .meta({ title: "Invocation", description: "Body of POST /invocations: as for POST /v1/chat/completions, or a prompt alone" });

export const Ping = z
  .strictObject({
    status: z.enum(["Healthy", "HealthyBusy"]).meta({ description: "Busy while an invocation is under way" }),
    time_of_last_update: z.int().meta({ description: "When the status changed, in seconds since 1970" }),
  })
  .meta({ title: "Ping", description: "What AgentCore asks to know whether a session is idle" });
export type Ping = z.infer<typeof Ping>;
