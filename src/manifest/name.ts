import { z } from "zod";

/** What the manifest calls its things by. */
export const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "Expected lower-case letters, digits and hyphens, at most 63 of them");
export const ServiceUrl = z.string().regex(/^[a-z][a-z0-9+-]*:/, "Expected a service URL such as mock:extractive");
