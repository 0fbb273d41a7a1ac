import { TwelveError } from "../../../core/errors.ts";
import { lanceVersion } from "./shape.ts";

const denied = /\b(?:401|403)\b|AccessDenied|Forbidden|InvalidAccessKeyId|ExpiredToken|SignatureDoesNotMatch/;
const gone = /\b404\b|Not ?Found|NoSuchKey/i;
const away = /connect|dns|\b5\d\d\b|\b429\b|SlowDown|sending request|reset|closed/i;

/** What LanceDB's failure means where its files are not on this machine. It tells all in one long text, with places in its own source. */
export function publishedFailure(url: string, cause: unknown): unknown {
  if (cause instanceof TwelveError || !(cause instanceof Error) || cause instanceof TypeError) return cause;
  const { message } = cause;
  const said = reasonIn(message);
  const again = { cause, retry: { afterMs: null } };
  if (denied.test(message)) {
    return new TwelveError("SERVICE_DENIED", `${url} may not be read with these AWS credentials (${said})`, { cause, fix: "Allow s3:GetObject and s3:ListBucket in the policies of the user or role, or renew the credentials" });
  }
  if (/timed ?out/i.test(message)) return new TwelveError("SERVICE_TIMEOUT", `${url} did not answer in time (${said})`, again);
  if (gone.test(message)) return new TwelveError("INDEX_NOT_FOUND", `${url} no longer holds all files of the index (${said})`, { cause, fix: "Run `twelve index publish --again`, and start the process again" });
  if (away.test(message)) return new TwelveError("SERVICE_UNAVAILABLE", `${url} cannot be reached (${said})`, again);
  return new TwelveError("SERVICE_FAILED", `LanceDB ${lanceVersion} cannot read ${url} (${said})`, { cause });
}

/** The innermost of the reasons, which are nested in each other. */
function reasonIn(message: string): string {
  const inner = /<Message>([^<]+)|error: \(?"?([^"\n{}()]+)|ConnectError\("([^"]+)/i.exec(message)?.slice(1).find((part) => part !== undefined);
  const text = (inner ?? message.split("\n")[0] ?? "").trim();
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
