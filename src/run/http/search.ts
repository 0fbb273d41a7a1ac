import type { FastifyInstance } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { RetrieveSettings } from "../../retrieval/schema.ts";
import type { Server } from "./api.ts";
import { openFinished } from "./finished.ts";
import { parseBody } from "./asking.ts";
import { SearchRequest, type SearchResult } from "./search-schema.ts";

/** `POST /v1/search`: what an agent would be given for a question; no model is asked. */
export function addSearch(app: FastifyInstance, server: Server): void {
  const { runtime } = server;
  const begin = openFinished(server);
  app.post("/v1/search", async (request, reply) => {
    const finished = begin(request);
    refusePrototype(request.body);
    const { query, model, index, topK, mode, filter } = parseBody(SearchRequest, request.body);
    const named = { ...(model === undefined ? {} : { agent: model }), ...(index === undefined ? {} : { index }) };
    const own = { ...(topK === undefined ? {} : { topK }), ...(mode === undefined ? {} : { mode }), ...(filter === undefined ? {} : { filter }) };
    const found = await runtime.search({ question: query, ...named, ...own, signal: request.life });
    const result: SearchResult = { object: "search.result", question: query, index: found.index, agent: found.agent, settings: shown(found.settings), hits: [...found.hits] };
    finished({ "twelve.index.name": found.index.name, "twelve.retrieval.hits": result.hits.length });
    return reply.send(result);
  });
}

/** Where a reranker is, is nobody's business. */
function shown({ mode, topK, filter, minScore }: RetrieveSettings): SearchResult["settings"] {
  return { mode, topK, ...(filter === undefined ? {} : { filter }), ...(minScore === undefined ? {} : { minScore }) };
}

/** The one name that schemas drop: a filter that holds nothing else would let everything through. */
function refusePrototype(body: unknown): void {
  const filter = typeof body === "object" && body !== null && "filter" in body ? body.filter : undefined;
  if (typeof filter === "object" && filter !== null && Object.hasOwn(filter, "__proto__")) throw new TwelveError("REQUEST_INVALID", "The request is not valid", { problems: [{ path: "filter", message: "No document has metadata called __proto__" }] });
}
