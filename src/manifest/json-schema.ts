import { z } from "zod";
import { Manifest } from "./schema.ts";

/** JSON Schema (draft 2020-12) of twelve.yaml, for editors; the text of `twelve.schema.json`. */
export function manifestJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(Manifest, { io: "input" }), null, 2)}\n`;
}
