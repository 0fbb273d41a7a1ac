import type { HttpPlace, ToolCallOptions, ToolResult, ToolSource } from "../../../ports/tool.ts";
import { exchange } from "../../http/client.ts";
import { answerFailure, type HttpAnswer } from "../../http/failure.ts";
import { fieldsOf } from "../../http/unchecked.ts";
import { readAddress, toolService } from "../address.ts";
import { describeBytes, failed, largestResultBytes, tooMuch } from "../answer.ts";
import { toRequest } from "./request.ts";

const checkTimeoutMs = 10_000;
const longestQuote = 4000;

/** One endpoint. Asked for nothing when it is opened. */
export function openHttp(place: HttpPlace): ToolSource {
  const service = toolService(place.name);
  const { url, headers } = readAddress(place.url, place.headers);
  const shared = { service, isGuarded: !place.isPrivateAllowed };

  async function call(given: unknown, { signal, callId, traceparent }: ToolCallOptions): Promise<ToolResult> {
    const request = toRequest({ url, method: place.method }, fieldsOf(given));
    if ("problem" in request) return failed(request.problem);
    const own = { traceparent, ...(place.method === "GET" ? {} : { "idempotency-key": quoted(callId) }) };
    const answer = await exchange({ ...shared, ...request, method: place.method, headers: { ...own, ...headers }, timeoutMs: place.timeoutMs, slowFix: "`timeoutSeconds`", maxAnswerBytes: largestResultBytes, signal }, "application/json, text/*;q=0.9, */*;q=0.8");
    return toResult(answer, { service, url: request.url });
  }

  const tools = [{ call }];
  return {
    tools: () => tools,
    // Whoever answers, whatever it is, is there: nothing that is meant for a model is asked for.
    async check(signal) {
      const { origin } = new URL(url.replaceAll(/[{}]/g, ""));
      const { status } = await exchange({ ...shared, url: origin, method: "HEAD", timeoutMs: checkTimeoutMs, signal }, "*/*");
      return { version: null, detail: `${new URL(origin).host} answers ${status}` };
    },
    close: () => Promise.resolve(),
  };
}

/** What is wrong with the request is for the model, which wrote it; what may pass, or leads elsewhere, is not. */
function toResult({ status, headers, text }: Awaited<ReturnType<typeof exchange>>, asked: Parameters<typeof answerFailure>[1]): ToolResult {
  if (text === undefined) return tooMuch();
  const isOwn = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  if (isOwn) return failed(`Answered ${status}${text.trim() === "" ? "" : `: ${text.trim().slice(0, longestQuote)}`}`);
  if (status < 200 || status >= 300) throw answerFailure({ status, headers, text }, asked);
  return { content: readable({ headers, text, status }), isError: false };
}

function readable({ headers, text, status }: HttpAnswer): string {
  const type = [headers["content-type"]].flat()[0]?.split(";", 1)[0]?.trim() ?? "";
  if (text.trim() === "") return `Answered ${status} without content`;
  return type === "" || /^text\/|json|xml|yaml|csv|javascript|urlencoded/i.test(type) ? text : describeBytes(type, Number([headers["content-length"]].flat()[0] ?? Buffer.byteLength(text)));
}

/** A structured header's string: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
function quoted(callId: string): string {
  return `"${callId.replaceAll(/[^\x20-\x7e]/g, "_").replaceAll(/["\\]/g, "\\$&")}"`;
}
