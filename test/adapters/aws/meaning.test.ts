import { describe, expect, it } from "vitest";
import { awsError } from "../../../src/adapters/aws/failure.ts";
import { meaningOf } from "../../../src/adapters/aws/meaning.ts";

function thrown(name: string, fields: { readonly status?: number; readonly message?: string; readonly code?: string; readonly original?: number } = {}): Error {
  const { status, message = "said the service", code, original } = fields;
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status }, ...(code === undefined ? {} : { code }), ...(original === undefined ? {} : { originalStatusCode: original }) });
}

describe("the meaning of an AWS error", () => {
  it.each([
    [thrown("ThrottledException", { status: 429 }), "SERVICE_LIMITED", true],
    [thrown("ProvisionedThroughputExceededException", { status: 400 }), "SERVICE_LIMITED", true],
    [thrown("ServiceQuotaExceededException", { status: 402 }), "SERVICE_QUOTA", false],
    [thrown("ResourceNotFoundException", { status: 400 }), "SERVICE_NOT_FOUND", false],
    [thrown("ParameterNotFound", { status: 400 }), "SERVICE_NOT_FOUND", false],
    [thrown("InvalidSignatureException", { status: 403 }), "SERVICE_UNAUTHENTICATED", false],
    [thrown("AuthSomething", { status: 401 }), "SERVICE_UNAUTHENTICATED", false],
    [thrown("KMSAccessDeniedException", { status: 400 }), "SERVICE_DENIED", false],
    [thrown("ServiceException", { status: 500 }), "SERVICE_UNAVAILABLE", true],
    [thrown("InternalDependencyException", { status: 530 }), "SERVICE_UNAVAILABLE", true],
    [thrown("NeverHeardOf", { status: 418 }), "SERVICE_REJECTED", false],
    [thrown("PermanentRedirect", { status: 301 }), "SERVICE_FAILED", false],
    [thrown("SyntaxError", { status: 200 }), "SERVICE_FAILED", false],
    [thrown("ModelError", { status: 424, original: 400 }), "SERVICE_REJECTED", false],
    [thrown("ModelErrorException", { status: 424, original: 429 }), "SERVICE_LIMITED", true],
    [thrown("ModelErrorException", { status: 424, original: 503 }), "SERVICE_UNAVAILABLE", true],
    [thrown("ValidationException", { status: 400, message: "This request has been blocked by our content filters." }), "SERVICE_FILTERED", false],
    [thrown("CredentialsProviderError", { message: "Token is expired. To refresh this SSO session run 'aws sso login'" }), "SERVICE_UNAUTHENTICATED", false],
    // What the SDK's handler makes of network trouble.
    [thrown("TimeoutError", { code: "ECONNRESET", message: "socket hang up" }), "SERVICE_UNAVAILABLE", true],
    [thrown("TimeoutError", { message: "the request socket timed out after 100 ms of inactivity" }), "SERVICE_TIMEOUT", true],
    [thrown("TimeoutError", { message: "the request socket did not establish a connection with the server within the configured timeout of 100 ms." }), "SERVICE_UNAVAILABLE", true],
    [thrown("TimeoutError", { code: "ETIMEDOUT", message: "a request has exceeded the configured 100 ms requestTimeout." }), "SERVICE_TIMEOUT", true],
    [new AggregateError([Object.assign(new Error("connect ECONNREFUSED ::1:9"), { code: "ECONNREFUSED" })]), "SERVICE_UNAVAILABLE", true],
    [Object.assign(new Error("aborted"), { code: "ECONNRESET" }), "SERVICE_CUT", true],
    [new Error("Truncated event message received."), "SERVICE_CUT", true],
  ])("%s is %s", (error, code, mayPass) => {
    expect(meaningOf(awsError(error))).toEqual({ code, mayPass });
  });

  it("is a cut for trouble of the network once the answer has begun, and the same as before for what the service says", () => {
    expect(meaningOf(awsError(thrown("TimeoutError", { code: "ECONNRESET" })), true)).toEqual({ code: "SERVICE_CUT", mayPass: true });
    expect(meaningOf(awsError(thrown("ThrottlingException")), true)).toEqual({ code: "SERVICE_LIMITED", mayPass: true });
  });
});

it("reads the request's ID, the wait that is asked for, and what a container said", () => {
  const error = Object.assign(thrown("ModelError", { status: 424, message: "Received client error" }), { $metadata: { httpStatusCode: 424, requestId: "r-1" }, $response: { headers: { "retry-after": "7" } }, OriginalMessage: "too long\nand more", OriginalStatusCode: 400 });
  expect(awsError(error)).toEqual({ name: "ModelError", message: "too long", code: undefined, status: 424, requestId: "r-1", retryAfterMs: 7000, originalStatus: 400 });
});
