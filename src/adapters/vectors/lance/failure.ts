import { TwelveError } from "../../../core/errors.ts";
import { awsFailure } from "../../aws/failure.ts";
import { lanceVersion } from "./shape.ts";

const republish = "Run `twelve index publish --again`, and start the process again";
/** Longer ones are quoted from their beginning. */
const longestReason = 200;

/** What LanceDB says without an answer of the server's. Its own words for lost connections and for parts that do not fit together. */
const cut = /response body error|reading a body|end of file before message length|Content-Range header not present|connection closed before message/i;
const away = /sending request|error trying to connect|dns error|connection (?:reset|refused|closed)|reset by peer|broken pipe/i;
const slow = /timed ?out|timeout after/i;
const denied = /permission denied|access is denied|operation not permitted/i;
const gone = /not found|no such file/i;

/** What LanceDB's failure means where its files are not its own. It tells all in one long text, with places in its own source. */
export function publishedFailure(url: string, cause: unknown): unknown {
  if (!isEngines(cause)) return cause;
  const { message } = cause;
  const answer = answerIn(cause);
  const said = answer === undefined ? reasonIn(message) : [answer.name, answer.message].filter((part) => part !== "").join(": ");
  const again = { cause, retry: { afterMs: null } };
  const missing = (): TwelveError => new TwelveError("INDEX_NOT_FOUND", `${url} no longer holds all files of the index (${said})`, { cause, fix: republish });
  if (answer?.name === "NoSuchKey" || (answer?.$metadata.httpStatusCode === 404 && answer.name !== "NoSuchBucket")) return missing();
  if (answer !== undefined) return awsFailure(answer, url, "s3:GetObject and s3:ListBucket");
  if (slow.test(message)) return new TwelveError("SERVICE_TIMEOUT", `${url} did not answer in time (${said})`, again);
  if (cut.test(message)) return new TwelveError("SERVICE_CUT", `${url} broke off its answer (${said})`, again);
  if (away.test(message)) return new TwelveError("SERVICE_UNAVAILABLE", `${url} cannot be reached (${said})`, again);
  if (denied.test(message)) return new TwelveError("SERVICE_DENIED", `${url} may not be read by this user (${said})`, { cause, fix: "Let the user that the process runs as read the folder and all that is in it" });
  if (gone.test(message)) return missing();
  return new TwelveError("SERVICE_FAILED", `LanceDB ${lanceVersion} cannot read ${url}; a file of the index may be damaged (${said})`, { cause, fix: republish });
}

/** Whether the failure holds no reason of the server's: the engine often asks by HEAD, whose answer has none, and takes some answers for missing or broken files. */
export function isUnexplained(cause: unknown): boolean {
  return isEngines(cause) && !cause.message.includes("<Code>");
}

function isEngines(cause: unknown): cause is Error {
  return cause instanceof Error && !(cause instanceof TwelveError) && !(cause instanceof TypeError);
}

/** The server's refusal, as the AWS SDK would have it; undefined where the server refused nothing. */
function answerIn(cause: Error): (Error & { readonly $metadata: { readonly httpStatusCode: number; readonly requestId?: string } }) | undefined {
  const [, status, phrase = "", body = ""] = /status code: (\d{3})(?: ([\w -]+))?([\s\S]*)/.exec(cause.message) ?? [];
  if (status === undefined) return undefined;
  const within = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]*)`).exec(body)?.[1];
  const requestId = within("RequestId");
  return Object.assign(new Error(within("Message") ?? "", { cause }), {
    name: within("Code") ?? `${status} ${phrase}`.trim(),
    $metadata: { httpStatusCode: Number(status), ...(requestId === undefined ? {} : { requestId }) },
  });
}

/** The innermost of the reasons, which are nested in each other, without the places in the engine's source. */
function reasonIn(message: string): string {
  const [outer = ""] = message.split(/\s*Caused by:|, \/\S+\.rs:\d/, 1);
  const text = (outer.split(/\blance error: |LanceError\([^)]*\): |Generic [\w/]+ error: |Wrapped error: | - /i).at(-1) ?? "").trim().replaceAll(/\s+/g, " ");
  return text.length > longestReason ? `${text.slice(0, longestReason)}…` : text;
}
