import { expect, it } from "vitest";
import { referencePages } from "../scripts/reference.ts";

/** `npm run docs` rewrites the pages; without it, a page that is out of date fails here. */
it("keeps docs/reference equal to what the schemas and tables say", async () => {
  for (const [file, text] of Object.entries(await referencePages())) {
    await expect(text).toMatchFileSnapshot(`../docs/reference/${file}`);
  }
});
