import { describe, expect, it } from "vitest";
import { hasCredentials, isHostHidden, isUrl, withoutCredentials } from "../../src/core/url.ts";

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
    ["postgres://user:p%40s%2Fs%23@db/app", "postgres://db/app"],
    ["postgres://user:p@s/s#x?y@db/app", "postgres://db/app"],
    ["postgres://user:123/secret@db:5432/app?application_name=a@b", "postgres://db:5432/app?application_name=a@b"],
    ["postgres://user:123#secret@db/app", "postgres://db/app"],
    ["postgres://user:5432/se?cret@db/app", "postgres://db/app"],
    ["postgres://user:secret", "postgres://user"],
    ["postgres://user:secret?a=b@db/app", "postgres://db/app"],
    ["postgres:/user:secret@db/app", "postgres:/db/app"],
    [" postgres://user:secret@db/app", " postgres://db/app"],
    ['"postgres://user:secret@db/app"', '"postgres://db/app"'],
    ["postgres://db/app?sslpassword=pa55&sslkey=/run/key.pem", "postgres://db/app?sslkey=/run/key.pem"],
    ["postgres:///app?host=/tmp&password=pa55", "postgres:///app?host=/tmp"],
    ["redis://:pa/ss@cache:6379/0", "redis://cache:6379/0"],
    ["rediss://default:123/4secret@cache:6379", "rediss://cache:6379"],
    ["opensearch://user:pa55@search:9200", "opensearch://search:9200"],
    ["opensearch+http://user:pa/ss@search:9200/books", "opensearch+http://search:9200/books"],
    ["tei+http://user:pa55@host:8080?bearer=t", "tei+http://host:8080"],
    ["https://user:pa55@host/v1#m", "https://host/v1#m"],
    ["https://host/v1#m?timeoutMs=5&api-key=k", "https://host/v1#m?timeoutMs=5"],
    ["https://host/v1?authorization=k&Ocp-Apim-Subscription-Key=k&jwt=k", "https://host/v1"],
    ["pinecone://books?apiKey=k", "pinecone://books"],
    ["dynamodb://AKIA:secret@table?region=eu-central-1", "dynamodb://table?region=eu-central-1"],
    ["s3://AKIA:se/cret@bucket/prefix", "s3://bucket/prefix"],
    ["lance:s3://AKIA:secret@bucket/prefix", "lance:s3://bucket/prefix"],
    ["jdbc:postgresql://user:secret@db/app", "jdbc:postgresql://db/app"],
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
    "redis://[::1]:6379/0",
    "opensearch://search:9200/books",
    "dynamodb://table?region=eu-central-1",
    "secretsmanager:arn:aws:secretsmanager:eu-central-1:123:secret:support-AbCdEf@v1",
    "mock:fixed:Write to someone: user@host?token=none",
    "mock:script:tests/a@b.json",
    "lance:s3://bucket/prefix",
    "not a url",
  ])("leaves %s as it is", (url) => {
    expect(withoutCredentials(url)).toBe(url);
    expect(hasCredentials(url)).toBe(false);
  });
});

describe("isHostHidden", () => {
  it.each([
    "postgres://u:se@cret/x#y@127.0.0.1:1/v", "postgres://u:12/cret@db/app", "postgresql://u:12#cret@db/app", "redis://u:se@cret?x@cache:6379", "redis://u:12/cret@cache:6379/0", "opensearch://u:se@cret/x@search:9200",
    "opensearch+http://u:se@cret#x@search:9200",
  ])("tells of %s", (url) => {
    expect(isHostHidden(url)).toBe(true);
  });

  it.each([
    "postgres://u:p@db:5432/app?application_name=a@b", "postgres://u:p@ss@db/app", "postgres://u:p%40s%2Fs%23@db/app", "postgres://db/app?password=p", "postgres:///app?host=/tmp&password=p", "redis://:p@[::1]:6379/0", "mongodb://a:p1@h1,h2/db",
    "opensearch://u:p@search:9200", "https://u:p@HOST/v1", "s3://bucket/a@b", "pglite:.twelve/a@b", "mock:fixed:a:b@c", "lance:s3://AKIA:p@bucket/prefix", "hash:512",
  ])("says nothing of %s", (url) => {
    expect(isHostHidden(url)).toBe(false);
  });
});

describe("isUrl", () => {
  it.each([["postgres://db", true], ["pglite:x", true], ["db.example/app", false], ["", false]])("says of %j: %s", (text, expected) => {
    expect(isUrl(text)).toBe(expected);
  });
});
