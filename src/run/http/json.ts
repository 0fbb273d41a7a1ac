import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { ServerOptions } from "./api.ts";
import { readBody } from "./body.ts";

/** Reads a request's body. Fails with REQUEST_INVALID, or as `readBody` does. */
export function jsonReader(access: ServerOptions["access"]): (request: FastifyRequest, payload: IncomingMessage) => Promise<unknown> {
  return async (request, payload) => {
    const text = await readBody(payload, { limitBytes: access()?.bodyBytes ?? 0, signal: request.life });
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new TwelveError("REQUEST_INVALID", `The body is not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  };
}
