import { expect, it } from "vitest";
import { ErrorReply } from "../../../src/run/http/error-schema.ts";
import { Liveness, Readiness } from "../../../src/run/http/health-schema.ts";
import { openApiDocument } from "../../../src/run/http/openapi-document.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { openTestServer, startServer } from "./fixture.ts";

const runtime = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));
const { paths, components } = openApiDocument() as { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>; readonly components: { readonly schemas: object } };
const described = Object.entries(paths).flatMap(([path, group]) => Object.keys(group).map((method) => `${method.toUpperCase()} ${path}`));

it("serves the OpenAPI document", async () => {
  const { url } = await startServer(runtime());
  const response = await fetch(`${url}/openapi.json`);
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await response.json()).toEqual(openApiDocument());
});

it("describes what is served, and nothing else", async () => {
  const { app } = await openTestServer(runtime(), { agentCore: { keepsSessions: () => false } });
  await app.ready();
  const served: string[] = [];
  const above: string[] = [];
  // A tree: a route that begins as another does stands below it, without that beginning.
  for (const [, indent = "", part = "", methods = ""] of app.printRoutes({ commonPrefix: false }).matchAll(/^(.*?)(\/\S*) \(([^)]+)\)$/gm)) {
    above.splice(indent.length / 4 - 1, Infinity, part);
    for (const method of methods.split(", ").filter((name) => name !== "HEAD")) served.push(`${method} ${above.join("").replaceAll(/:(\w+)/g, "{$1}")}`);
  }
  expect(served.toSorted()).toEqual([...described, "GET /openapi.json"].toSorted());
});

it("refers only to schemas that are there, and names each operation once", () => {
  const text = JSON.stringify({ paths, components });
  const referred = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target = ""]) => target));
  expect(referred.size).toBeGreaterThan(10);
  expect([...referred].filter((target) => !Object.hasOwn(components.schemas, target.replace("#/components/schemas/", "")))).toEqual([]);
  const names = Object.values(paths).flatMap((group) => Object.values(group).map(({ operationId }) => operationId));
  expect(names).toContain("postChatCompletions");
  expect(new Set(names).size).toBe(names.length);
});

it("tells fields that are honoured from those that are refused or ignored", () => {
  expect(components.schemas).toMatchObject({
    ChatRequest: {
      properties: {
        tools: { description: expect.stringContaining("What the model may call") },
        logprobs: { description: "Refused: Log probabilities are not supported" },
        store: { description: "Taken, and changes nothing" },
      },
      required: ["model", "messages"],
    },
    ChatCompletion: { properties: { choices: { items: { properties: { message: { required: ["role", "content", "refusal", "citations"] } } } } } },
  });
});

it.each([
  ["/livez", Liveness],
  ["/readyz", Readiness],
  ["/nothing", ErrorReply],
  ["/v1/models/nobody", ErrorReply],
  ["/v1/responses", ErrorReply],
  ["/%zz", ErrorReply],
])("describes what %s answers", async (path, schema) => {
  const { url } = await startServer(runtime());
  expect(schema.safeParse(await (await fetch(`${url}${path}`)).json()).error).toBeUndefined();
});
