import { describe, expect, it } from "vitest";
import { isUnexplained, publishedFailure } from "../../../src/adapters/vectors/lance/failure.ts";
import { TwelveError } from "../../../src/core/errors.ts";

const get = "Failed to get next batch from stream: lance error: LanceError(IO): Generic N/A error: LanceError(IO): Generic S3 error: Error performing GET http://127.0.0.1:35059/vectors/p/docs/chunks.lance/_indices/8971/index.idx in 253.431948ms, after 2 retries, max_retries: 2, retry_timeout: 5s  - ";
const head = "Failed to get next batch from stream: lance error: LanceError(IO): Generic S3 error: Error performing HEAD http://127.0.0.1:35059/vectors/p/docs/chunks.lance/tokens.lance in 279.396434ms - ";
const answered = (status: string, code?: string): string => `Server returned non-2xx status code: ${status}: ${code === undefined ? "" : `<Error><Code>${code}</Code><Message>It says so.</Message><RequestId>REQ1</RequestId></Error>`}`;
const source = ", /rustc/2d8144b7/library/core/src/result.rs:1896:29, /usr/local/lance-12.0.0/src/index.rs:3054:29";
const again = { afterMs: null };

/** What LanceDB 0.39.0 said of each trouble, shortened. */
describe("what LanceDB says of files elsewhere", () => {
  it.each<[string, string, object | undefined, string]>([
    [get + answered("400 Bad Request", "ExpiredToken"), "SERVICE_UNAUTHENTICATED", undefined, "s3://b/docs refused the AWS credentials (ExpiredToken: It says so., request REQ1)"],
    [get + answered("401 Unauthorized"), "SERVICE_UNAUTHENTICATED", undefined, "s3://b/docs refused the AWS credentials (401 Unauthorized)"],
    [get + answered("403 Forbidden", "SignatureDoesNotMatch"), "SERVICE_UNAUTHENTICATED", undefined, "s3://b/docs refused the AWS credentials (SignatureDoesNotMatch: It says so., request REQ1)"],
    [get + answered("403 Forbidden", "AccessDenied"), "SERVICE_DENIED", undefined, "s3://b/docs may not be used with these AWS credentials (AccessDenied: It says so., request REQ1)"],
    [head + answered("403 Forbidden"), "SERVICE_DENIED", undefined, "s3://b/docs may not be used with these AWS credentials (403 Forbidden)"],
    [get + answered("429 Too Many Requests"), "SERVICE_LIMITED", again, "s3://b/docs is asked too often (429 Too Many Requests)"],
    [get + answered("503 Service Unavailable", "SlowDown"), "SERVICE_LIMITED", again, "s3://b/docs is asked too often (SlowDown: It says so., request REQ1)"],
    [head + answered("503 Service Unavailable"), "SERVICE_UNAVAILABLE", again, "s3://b/docs failed (503 Service Unavailable)"],
    [get + answered("404 Not Found", "NoSuchBucket"), "SERVICE_NOT_FOUND", undefined, "s3://b/docs does not exist, or no longer (NoSuchBucket: It says so., request REQ1)"],
    [get + answered("404 Not Found", "NoSuchKey"), "INDEX_NOT_FOUND", undefined, "s3://b/docs no longer holds all files of the index (NoSuchKey: It says so.)"],
    ["Failed to get next batch from stream: lance error: LanceError(IO): Generic N/A error: Wrapped error: Not found: Wrapped error: Not found: p/docs/index.idx", "INDEX_NOT_FOUND", undefined, "s3://b/docs no longer holds all files of the index (Not found: p/docs/index.idx)"],
    [`${get}HTTP error: error sending request`, "SERVICE_UNAVAILABLE", again, "s3://b/docs cannot be reached (HTTP error: error sending request)"],
    [`${get}HTTP error: operation timed out`, "SERVICE_TIMEOUT", again, "s3://b/docs did not answer in time (HTTP error: operation timed out)"],
    ["Failed to get next batch from stream: lance error: Query Execution error: Execution error: Query timeout after 500 ms", "SERVICE_TIMEOUT", again, "s3://b/docs did not answer in time (Query Execution error: Execution error: Query timeout after 500 ms)"],
    ["lance error: LanceError(IO): Generic S3 error: Error getting list response body: HTTP error: request or response body error", "SERVICE_CUT", again, "s3://b/docs broke off its answer (Error getting list response body: HTTP error: request or response body error)"],
    ["lance error: LanceError(IO): Generic S3 error: Content-Range header not present in partial response", "SERVICE_CUT", again, "s3://b/docs broke off its answer (Content-Range header not present in partial response)"],
    ["lance error: LanceError(IO): Generic LocalFileSystem error: Unable to open file /v/docs/x.lance: Permission denied (os error 13)", "SERVICE_DENIED", undefined, "s3://b/docs may not be read by this user (Unable to open file /v/docs/x.lance: Permission denied (os error 13))"],
    ["lance error: LanceError(IO): Invalid input, file does not appear to be a Lance file", "SERVICE_FAILED", undefined, "LanceDB 0.39.0 cannot read s3://b/docs; a file of the index may be damaged (Invalid input, file does not appear to be a Lance file)"],
  ])("%s: %s", (said, code, retry, message) => {
    const cause = new Error(`${said}${source}\n\nCaused by:\n  ${said}${source}`);
    expect(publishedFailure("s3://b/docs", cause)).toMatchObject({ code, retry, message });
    expect(isUnexplained(cause)).toBe(!said.includes("<Code>"));
  });

  it("leaves alone what LanceDB did not say", () => {
    for (const other of [new TwelveError("SERVICE_CUT", "told"), new TypeError("a bug"), "thrown"]) {
      expect(publishedFailure("s3://b/docs", other)).toBe(other);
      expect(isUnexplained(other)).toBe(false);
    }
  });
});
