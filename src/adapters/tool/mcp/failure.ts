import { TwelveError } from "../../../core/errors.ts";
import { scrub } from "../../../core/scrub.ts";
import { withoutCredentials } from "../../../core/url.ts";
import type { McpPlace } from "../../../ports/tool.ts";
import { answerFailure, connectionFailure } from "../../http/failure.ts";
import { toolService } from "../address.ts";

/** Codes of JSON-RPC, and what the client itself makes of a silent or lost server. */
const closedCode = -32000;
const timeoutCode = -32001;
const internalCode = -32603;

/** The status of an HTTP answer that was no success; undefined for every other error. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && error.message.startsWith("Streamable HTTP error") && "code" in error && typeof error.code === "number" && error.code >= 300 ? error.code : undefined;
}

/** Whether the answer's own words are about the session, in which a request that is refused was not looked at. */
export function isAboutSession(error: unknown): boolean {
  return /\bsession/i.test(error instanceof Error ? error.message : "");
}

/** Whether the server says that it failed inside, and so perhaps after it did what it was asked. */
export function isInternal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === internalCode;
}

/** What the server answered by the protocol's own means: it is there, and finds something wrong with the call. */
export function complaintOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || error.code === closedCode || error.code === timeoutCode) return undefined;
  return /^MCP error -?\d+: (.*)$/s.exec(error.message)?.[1];
}

/** Why a server cannot be asked. `said` is the end of what a program wrote to stderr. */
export function serverFailure(error: unknown, { name, server, timeoutMs }: McpPlace, said = ""): TwelveError {
  const service = toolService(name);
  const where = "url" in server ? withoutCredentials(server.url) : server.command[0];
  if (error instanceof TwelveError) return error;
  const { code, message } = error instanceof Error ? (error as Error & { readonly code?: unknown }) : { code: undefined, message: String(error) };
  if (code === timeoutCode) return new TwelveError("SERVICE_TIMEOUT", `${service.name}: the MCP server ${where} did not answer within ${timeoutMs / 1000} s`, { cause: error, retry: { afterMs: null }, fix: "Check that it is up; a slow one gets more time with `timeoutSeconds`" });
  if ("command" in server) {
    const last = scrub(said.trim()).slice(-500);
    const isMissing = code === "ENOENT";
    return new TwelveError(isMissing ? "TOOL_INVALID" : "SERVICE_CUT", `${service.name}: the MCP server ${where} ${isMissing ? "cannot be started: there is no such program" : "ended"}${last === "" ? "" : `: ${last}`}`, { cause: error, ...(isMissing ? {} : { retry: { afterMs: null }, fix: "Run the command by hand to see what is wrong" }) });
  }
  const status = statusOf(error);
  const asked = { service, url: server.url };
  if (status === 401 || status === 403) return refusal(status, { ...service, where });
  if (status !== undefined) return answerFailure({ status, headers: {}, text: message.replace(/^Streamable HTTP error: (?:Error POSTing to endpoint: )?/, "") }, asked);
  if (code === closedCode) return new TwelveError("SERVICE_CUT", `${service.name}: the connection to the MCP server ${where} ended`, { cause: error, retry: { afterMs: null } });
  if (error instanceof TypeError && error.cause !== undefined) return connectionFailure(error.cause, asked);
  return new TwelveError("SERVICE_FAILED", `${service.name}: what answers at ${where} is no MCP server: ${message.slice(0, 200)}`, { cause: error });
}

function refusal(status: 401 | 403, { name, where }: { readonly name: string; readonly where: string }): TwelveError {
  return new TwelveError(status === 401 ? "SERVICE_UNAUTHENTICATED" : "SERVICE_DENIED", `${name}: the MCP server ${where} answered ${status}`, { fix: "Look at `headers` of the tool in twelve.yaml, and at the secrets that they name" });
}
