import { z } from "zod";

/** What the HTTP server lets in. */
export const ServerSettings = z.strictObject({
  keys: z.string().regex(/^\$\{[A-Z][A-Z0-9_]*\}$/, "Expected ${KEY} of a secret").optional().meta({ description: "${KEY} of the secret that holds the API keys as hashes, with their scopes and rate limits; `twelve admin key` makes one" }),
  origins: z.array(z.string().regex(/^(?:\*|https?:\/\/[^/]+)$/, "Expected an origin such as https://app.example, or *")).min(1).optional().meta({ description: "Origins whose pages may ask from a browser; none by default" }),
  bodyMb: z.number().positive().max(100).default(1).meta({ description: "Largest body of a request, in MiB" }),
  requestSeconds: z.number().positive().max(86_400).default(600).meta({ description: "Longest time for one answer" }),
  idempotencyHours: z.number().positive().max(720).default(24).meta({ description: "How long answers to requests with an Idempotency-Key are kept" }),
});
export type ServerSettings = z.infer<typeof ServerSettings>;
