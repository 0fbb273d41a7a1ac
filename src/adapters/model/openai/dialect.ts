import { TwelveError } from "../../../core/errors.ts";
import type { Dialect } from "./request.ts";

/**
 * How to ask a server that refused a name or the form of the answer, and nothing else; undefined where no other way is left. What changes the
 * answer, such as a temperature, is never left out to please a server.
 */
export function otherDialect(error: unknown, dialect: Dialect, isLimitNameFixed: boolean): Dialect | undefined {
  if (!(error instanceof TwelveError) || error.code !== "SERVICE_REJECTED") return undefined;
  const { message } = error;
  if (dialect.isUsageAskable && /stream_options|include_usage/.test(message)) return { ...dialect, isUsageAskable: false };
  if (dialect.isStreamOnly !== true && /\bonly supports? stream|\bstream must be set to true/i.test(message)) return { ...dialect, isStreamOnly: true };
  if (isLimitNameFixed) return undefined;
  const isLimitRefused = new RegExp(`\\b${dialect.limitName}\\b`).test(message) && /unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|extra|not permitted|not allowed|invalid (?:field|parameter)/i.test(message);
  if (!isLimitRefused) return undefined;
  return { ...dialect, limitName: dialect.limitName === "max_tokens" ? "max_completion_tokens" : "max_tokens" };
}

const samplingNames = [["temperature", /\btemperature\b/], ["top_p", /\btop_p\b/], ["seed", /\bseed\b/], ["stop", /['"`]stop['"`]/]] as const;

/** A refused parameter comes from the application, which is where it has to be changed. */
export function helpfulFailure(error: unknown): unknown {
  if (!(error instanceof TwelveError) || error.code !== "SERVICE_REJECTED") return error;
  const name = samplingNames.find(([, pattern]) => pattern.test(error.message))?.[0];
  if (name !== undefined) {
    return new TwelveError(error.code, error.message, { cause: error.cause, fix: `This model does not take the ${name} that it was given: leave \`${name}\` out, in the agent in twelve.yaml, in the prompt's front matter and in the request, and release again` });
  }
  if (/context|maximum.{0,20}(?:length|tokens)|too long/i.test(error.message)) {
    return new TwelveError(error.code, error.message, { cause: error.cause, fix: "Send less: retrieve fewer passages, shorten the conversation or the prompt, or ask for fewer tokens" });
  }
  return error;
}
