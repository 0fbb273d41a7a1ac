import { describe, expect, it } from "vitest";
import { awsFailure, isCausedBy } from "../../../src/adapters/aws/failure.ts";
import { TwelveError } from "../../../src/core/errors.ts";

function awsError(name: string, status?: number, message = "said the service"): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

describe("a failure of AWS", () => {
  it.each([
    [awsError("CredentialsProviderError", undefined, "Could not load credentials from any providers"), "SERVICE_UNAUTHENTICATED", "The bucket needs AWS credentials, and none were found", false],
    [awsError("CredentialsProviderError", undefined, "The session has expired"), "SERVICE_UNAUTHENTICATED", "The bucket needs AWS credentials, which cannot be had: The session has expired", false],
    [awsError("ExpiredTokenException", 403), "SERVICE_UNAUTHENTICATED", "The bucket refused the AWS credentials (ExpiredTokenException: said the service)", false],
    [awsError("AccessDeniedException", 400), "SERVICE_DENIED", "The bucket may not be used with these AWS credentials (AccessDeniedException: said the service)", false],
    [awsError("403", 403, "403"), "SERVICE_DENIED", "The bucket may not be used with these AWS credentials (403)", false],
    [awsError("ThrottlingException", 400), "SERVICE_LIMITED", "The bucket is asked too often (ThrottlingException: said the service)", true],
    [awsError("ValidationException", 400), "SERVICE_REJECTED", "The bucket refused the request (ValidationException: said the service)", false],
    [awsError("InternalError", 500), "SERVICE_UNAVAILABLE", "The bucket failed (InternalError: said the service)", true],
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "SERVICE_UNAVAILABLE", "The bucket failed (ECONNREFUSED: connect)", true],
    [new Error("Region is missing"), "CONFIG_INVALID", "The bucket needs an AWS region, and none is set", false],
    ["thrown", "SERVICE_FAILED", "The bucket failed (thrown)", false],
  ])("%s is %s", (cause, code, message, canRetry) => {
    const failure = awsFailure(cause, "The bucket");
    expect(failure).toMatchObject({ code, message, cause });
    expect(failure.retry !== undefined).toBe(canRetry);
  });

  it("tells which error of the service it stands for", () => {
    const failure = awsFailure(awsError("ConflictException", 409), "The bucket");
    expect([isCausedBy(failure, "ConflictException"), isCausedBy(failure, "ValidationException", "ConflictException"), isCausedBy(failure, "Conflict"), isCausedBy(failure.cause, "ConflictException"), isCausedBy(new TwelveError("SERVICE_FAILED", "told"), "ConflictException")]).toEqual([true, true, false, false, false]);
  });

  it("that was told already stays as it is", () => {
    const told = new TwelveError("SOURCE_INVALID", "told");
    expect(awsFailure(told, "The bucket")).toBe(told);
  });

  it("is told in one line, whatever page a server answers with", () => {
    expect(awsFailure(awsError("Unknown", 502, `<html>${"x".repeat(1000)}\n</html>`), "The bucket").message).toBe(`The bucket failed (Unknown: <html>${"x".repeat(293)}…)`);
  });
});
