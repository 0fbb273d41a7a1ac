import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { TwelveError } from "../../core/errors.ts";
import { quoteService } from "../http/service.ts";

const eventStream = "application/vnd.amazon.eventstream";
const streamingPath = /\/(?:converse-stream|invocations-response-stream)$/;

/** The SDK would take the first bytes of a proxy's page for the length of an event, and wait for as many. */
export function refuseOtherAnswers(handler: NodeHttpHandler, name: string): NodeHttpHandler {
  const handle = handler.handle.bind(handler);
  handler.handle = async (request, options) => {
    const answer = await handle(request, options);
    const { statusCode, headers, body } = answer.response;
    const type = headers["content-type"] ?? "no content type";
    if (!streamingPath.test(request.path) || statusCode < 200 || statusCode >= 300 || type.startsWith(eventStream)) return answer;
    (body as { destroy?: () => void }).destroy?.();
    throw new TwelveError("SERVICE_FAILED", `${name} answered something that is no stream of events (${quoteService(type, { key: undefined })})`, { fix: "Check that the endpoint is that of AWS, and not of a proxy before it" });
  };
  return handler;
}
