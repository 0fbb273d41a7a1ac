import type { VectorService } from "../../src/ports/vectors.ts";
import type { TestContext } from "./context.ts";

export interface AttachedContext extends TestContext {
  /** What was opened so far, credentials and all. */
  readonly asked: readonly string[];
}

/** The context with vector services of the test's own, by the URL without credentials. */
export function withVectors(context: TestContext, services: readonly VectorService[]): AttachedContext {
  const asked: string[] = [];
  return {
    ...context,
    asked,
    openVectorService: async (reference) => {
      asked.push(reference);
      const found = services.find(({ url }) => reference.replace(/\/\/.*@/, "//") === url);
      if (found === undefined) throw new Error(`No test has a vector service at ${reference}`);
      return found;
    },
  };
}
