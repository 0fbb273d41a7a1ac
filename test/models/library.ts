import { join } from "node:path";
import { loadLibrary } from "../../src/adapters/transformers/library.ts";

/**
 * Why tests of local models are skipped: transformers.js is not in this checkout. It is large, and so it is no
 * dependency; `npm install --no-save --ignore-scripts @huggingface/transformers@4` brings it. A build server that
 * promises every service has TWELVE_REQUIRE_SERVICES, and then the tests fail instead.
 */
export const withoutLibrary: string | undefined = process.env["TWELVE_REQUIRE_SERVICES"]
  ? undefined
  : await loadLibrary(join(import.meta.dirname, "../..")).then(() => undefined, () => "skipped: @huggingface/transformers is not installed");
