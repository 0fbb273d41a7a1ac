import { describe, expect, it } from "vitest";
import { hasCredentials, isUrl, withoutCredentials } from "../../src/core/url.ts";

describe("withoutCredentials", () => {
  it.each([
    ["postgres://user:pa55@db.example/app?sslmode=require", "postgres://db.example/app?sslmode=require"],
    ["postgres://user@db.example/app", "postgres://db.example/app"],
    ["redis://:pa55@cache.example:6379/0", "redis://cache.example:6379/0"],
    ["mongodb://a:p1@h1:1,h2:2/db?authSource=admin", "mongodb://h1:1,h2:2/db?authSource=admin"],
    ["postgres://u:p1@h1/db?application_name=a@b", "postgres://h1/db?application_name=a@b"],
    ["redis://u:p1@[::1]:6379/0", "redis://[::1]:6379/0"],
    ["postgres://user:p@ss@db/app", "postgres://db/app"],
    ["postgres://user:pa/ss@db/app", "postgres://db/app"],
    ["postgres://user:pa#ss@db/app", "postgres://db/app"],
    ["postgres://user:pa?ss@db/app", "postgres://db/app"],
    ["postgres://db/app?user=u&password=pa55&sslmode=require", "postgres://db/app?user=u&sslmode=require"],
    ["postgres://db/app?password=pa55&sslmode=require", "postgres://db/app?sslmode=require"],
    ["postgres://db/app?password=pa55", "postgres://db/app"],
    ["postgres://db/app?pass%77ord=pa55&a=1", "postgres://db/app?a=1"],
    ["https://host/v1?API_KEY=k&api-version=2", "https://host/v1?api-version=2"],
    ["https://host/v1?sig=abc&key=k#model", "https://host/v1#model"],
    ["https://host/v1#access_token=t", "https://host/v1"],
    ["s3://bucket/p?aws_secret_access_key=x&X-Amz-Signature=y&region=eu", "s3://bucket/p?region=eu"],
    ["sqlserver://host;user=sa;password=pa55;encrypt=true", "sqlserver://host;user=sa;encrypt=true"],
    ["mysql:user:pa55@host/db", "mysql:host/db"],
  ])("takes them out of %s", (url, expected) => {
    expect(withoutCredentials(url)).toBe(expected);
    expect(hasCredentials(url)).toBe(true);
  });

  it.each([
    "pglite:.twelve/state",
    "https://host:8080/v1#gpt-5",
    "https://host:8080/@scope/name",
    "https://[::1]:8080/a@b",
    "postgres://db/app?sslmode=require&passfile=/run/pass",
    "bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0",
    "npm:@acme/prompts",
    "postgres://h1:1,h2:2/db?application_name=a@b",
    "redis://?db=1",
    "not a url",
  ])("leaves %s as it is", (url) => {
    expect(withoutCredentials(url)).toBe(url);
    expect(hasCredentials(url)).toBe(false);
  });
});

describe("isUrl", () => {
  it.each([["postgres://db", true], ["pglite:x", true], ["db.example/app", false], ["", false]])("says of %j: %s", (text, expected) => {
    expect(isUrl(text)).toBe(expected);
  });
});
