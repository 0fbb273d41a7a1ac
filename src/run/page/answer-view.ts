import type { AnswerView, AskEvent, Complaint } from "../ui/schema.ts";
import { callsOf } from "./calls.ts";
import { type CallsView, callsView } from "./calls-view.ts";
import { element } from "./element.ts";
import { type Figures, figuresList } from "./figures-view.ts";
import { markdownView } from "./markdown-view.ts";
import { type SourcesView, sourcesView } from "./sources-view.ts";

interface Asked {
  /** Such as v3. */
  readonly release: string;
  readonly digest: string;
  readonly prompt: string;
}

/** One answer on the page, from the first sign of it to its figures. */
export interface DrawnAnswer {
  readonly element: HTMLElement;
  /** Such as v3. */
  readonly release: string;
  readonly sources: SourcesView;
  readonly calls: CallsView;
  /** What it said so far. */
  readonly text: string;
  readonly figures: Figures | undefined;
  readonly trace: (traceId: string) => void;
  take(event: AskEvent): void;
  /** All that was said so far, where it does not come word by word. */
  say(text: string): void;
  /** For a person's approval. */
  waits(): void;
  stopped(): void;
}

export function answerView({ release, digest, prompt }: Asked): DrawnAnswer {
  const sources = sourcesView();
  const calls = callsView();
  const body = element("div", { class: "text", "aria-busy": "true" });
  const state = element("span", { class: "state running" }, "working");
  const foot = element("div", { class: "after" });
  const traceLine = element("p", { class: "trace", hidden: true });
  const head = element("header", {}, element("h3", {}, element("span", { class: "unseen" }, "Answer of "), release), element("code", { class: "digest", title: "Digest of the release" }, digest), state);
  const root = element("section", { class: "answer", "aria-label": `Answer of ${release}` }, element("div", { class: "said" }, head, calls.element, body, foot, traceLine), sources.element);
  const draw = markdownView(body, sources);
  let text = "";
  let figures: Figures | undefined;
  let isDue = false;

  /** Many words come between two pictures of the screen; they are drawn at once. */
  function drawSoon(): void {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(drawNow);
  }

  function drawNow(): void {
    isDue = false;
    draw(text);
  }

  function settle(word: string, kind = ""): void {
    drawNow();
    body.removeAttribute("aria-busy");
    state.className = `state ${kind}`;
    state.textContent = word;
  }

  function end(answer: AnswerView): void {
    settle("");
    if (text === "") body.append(element("p", { class: "hint" }, answer.toolCalls.length === 0 ? "The model said nothing." : `The model wants to call ${answer.toolCalls.join(", ")}.`));
    sources.markCited(answer.cited);
    if (answer.calls.length > 0 && calls.element.hidden) calls.show(callsOf(answer.calls));
    figures = { release, prompt, text, answer };
    foot.replaceChildren(figuresList(figures));
  }

  return {
    element: root,
    release,
    sources,
    calls,
    get text() {
      return text;
    },
    get figures() {
      return figures;
    },
    trace(traceId) {
      if (traceId === "") return;
      traceLine.replaceChildren("Trace ", element("code", {}, traceId), copyButton(traceId));
      traceLine.hidden = false;
    },
    take(event) {
      switch (event.type) {
        case "run":
          return undefined;
        case "retrieved":
          sources.show(event.chunks, event.retrievalMs);
          // Numbers that were text until now may be citations.
          return text === "" ? undefined : draw(text, "anew");
        case "text":
          text += event.text;
          return drawSoon();
        case "end":
          return end(event.answer);
        case "error":
          // Nobody sees any more what becomes of a decision.
          calls.close();
          settle("failed", "failed");
          foot.replaceChildren(complaintView(event));
      }
    },
    say(all) {
      if (all.length <= text.length) return;
      text = all;
      drawSoon();
    },
    waits() {
      state.className = "state waiting";
      state.textContent = "waits for approval";
    },
    stopped() {
      calls.close();
      settle("stopped", "stopped");
    },
  };
}

export function complaintView({ code, message, fix }: Complaint): HTMLElement {
  return element("div", { class: "complaint" }, element("p", {}, element("strong", {}, ...withCode(message))), fix === null ? undefined : element("p", {}, ...withCode(fix)), element("p", { class: "hint" }, "Code ", element("code", {}, code)));
}

/** Commands stand between backquotes. */
function withCode(text: string): readonly (string | HTMLElement)[] {
  return text.split("`").map((piece, i) => (i % 2 === 0 ? piece : element("code", {}, piece)));
}

function copyButton(text: string): HTMLElement {
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => "Copied", () => "Not allowed").then((word) => (button.textContent = word));
  const button = element("button", { type: "button", class: "quiet small", "aria-label": "Copy the trace ID", onclick: copy }, "Copy");
  return button;
}
