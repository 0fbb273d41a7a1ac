import type { FastifyInstance } from "fastify";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import type { RetrievedChunk } from "../../retrieval/schema.ts";
import { withoutKeys } from "../../core/scrub.ts";
import { readPage } from "../ui/document.ts";
import type { Ui } from "../ui/open.ts";
import { Ask, type AskEvent, type Complaint } from "../ui/schema.ts";
import { viewAnswer, viewChunk } from "../ui/view.ts";
import type { Server } from "./api.ts";
import { parseBody } from "./asking.ts";
import { isInternal, toHttpError } from "./error.ts";
import { openStream, sendText } from "./stream.ts";

/** `GET /`: a page to try the release. `/ui/…`: what the page asks. */
export function addUi(app: FastifyInstance, { clock, report, isExposed }: Server, ui: Ui): void {
  app.get("/", async (_request, reply) => {
    const { html, policy } = await readPage();
    return reply
      .headers({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
      })
      .send(html);
  });
  app.get("/ui/releases", () => ui.overview());
  app.get<{ Params: { number: string } }>("/ui/releases/:number", ({ params: { number } }) => {
    if (!/^[1-9]\d{0,7}$/.test(number)) throw new TwelveError("REQUEST_INVALID", `${JSON.stringify(number)} is no number of a release`);
    return ui.release(Number(number));
  });
  app.post("/ui/answer", async (request, reply) => {
    const { release, ...asked } = parseBody(Ask, request.body);
    const { trace, life } = request;
    const startedMs = clock.monotonicMs();
    const response = openStream(reply);
    let isRetrievalTold = false;
    const write = (event: AskEvent): void => {
      if (!response.destroyed) response.write(lineOf(event));
    };
    const tellRetrieved = (retrieved: readonly RetrievedChunk[], retrievalMs: number | null): void => {
      isRetrievalTold = true;
      write({ type: "retrieved", chunks: retrieved.map(viewChunk), retrievalMs });
    };
    try {
      const parts = ui.answer(release, {
        ...asked,
        isStream: true,
        traceId: trace.traceId,
        spanId: trace.spanId,
        signal: life,
        caller: request.caller.key,
        onRunBegun: (id) => write({ type: "run", id }),
        onRetrieved: (retrieved) => tellRetrieved(retrieved, clock.monotonicMs() - startedMs),
      });
      for await (const part of parts) {
        if (part.type === "text") await sendText(response, lineOf(part), life);
        if (part.type !== "end") continue;
        // An answer that another process made tells it only now.
        if (!isRetrievalTold && part.answer.retrieved.length > 0) tellRetrieved(part.answer.retrieved, null);
        write({ type: "end", answer: viewAnswer(part.answer) });
      }
    } catch (error) {
      report(error, request);
      write({ type: "error", ...complaintOf(error, { traceId: trace.traceId, isExposed }) });
    } finally {
      response.end();
    }
    return reply;
  });
}

function lineOf(event: AskEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/**
 * The page is for the people who make the application: a failure has its own code, and says what to do. Where others can reach the
 * server, they are told no more of its insides than any caller is.
 */
function complaintOf(error: unknown, { traceId, isExposed }: { readonly traceId: string; readonly isExposed: boolean }): Complaint {
  if (error instanceof TwelveError && !(isExposed && isInternal(error))) return { code: error.code, message: withoutKeys(summaryOf(error)), fix: error.fix };
  const { code, message } = toHttpError(error, traceId).body.error;
  return { code: code ?? "internal_error", message, fix: null };
}
