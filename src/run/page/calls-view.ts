import type { ShownCall } from "./calls.ts";
import { element } from "./element.ts";
import { milliseconds } from "./format.ts";

/** Approves or refuses a call, and gives why that could not be done. */
export type Decide = (callId: string, approve: boolean) => Promise<string | undefined>;

export interface CallsView {
  readonly element: HTMLElement;
  show(calls: readonly ShownCall[], decide?: Decide): void;
  /** Nothing is asked any more. */
  close(): void;
}

interface Drawn {
  readonly element: HTMLElement;
  readonly question: HTMLElement;
  update(call: ShownCall, decide: Decide | undefined): void;
}

/** The calls of an agent's tools in the order in which the model asked for them; each unfolds to its arguments and its result. */
export function callsView(): CallsView {
  const drawn = new Map<string, Drawn>();
  let isClosed = false;
  const list = element("ol", { class: "calls" });
  const root = element("section", { class: "tools", "aria-label": "Tool calls", hidden: true }, list);
  return {
    element: root,
    show(calls, decide) {
      for (const call of calls) {
        const known = drawn.get(call.id) ?? draw(call);
        if (!drawn.has(call.id)) list.append(known.element);
        drawn.set(call.id, known);
        known.update(call, isClosed ? undefined : decide);
      }
      root.hidden = calls.length === 0;
    },
    close() {
      isClosed = true;
      for (const { question } of drawn.values()) question.hidden = true;
    },
  };
}

function draw({ id, tool, given }: ShownCall): Drawn {
  const state = element("span", { class: "state" });
  const time = element("span", { class: "hint" });
  const result = element("pre", { tabindex: "0", "aria-label": `Result of ${tool}` });
  const resultPart = element("div", { hidden: true }, element("p", { class: "hint" }, "Result"), result);
  const summary = element("summary", {}, element("code", {}, tool), time, state);
  const details = element("details", {}, summary, element("p", { class: "hint" }, "Arguments"), element("pre", { tabindex: "0", "aria-label": `Arguments of ${tool}` }, readable(given)), resultPart);
  const question = element("div", { class: "approval", role: "group", "aria-label": `Approve the call of ${tool}?`, hidden: true });
  const root = element("li", { class: "call" }, details, question);
  let shown = "";

  function askWith(decide: Decide): void {
    const complaint = element("p", { class: "hint", role: "alert" });
    const choose = async (approve: boolean): Promise<void> => {
      buttons.forEach((button) => (button.disabled = true));
      const problem = await decide(id, approve);
      if (problem === undefined) return summary.focus();
      complaint.textContent = problem;
      buttons.forEach((button) => (button.disabled = false));
    };
    const buttons = [
      element("button", { type: "button", class: "send", onclick: () => void choose(true) }, "Approve", element("span", { class: "unseen" }, ` the call of ${tool}`)),
      element("button", { type: "button", class: "stop", onclick: () => void choose(false) }, "Refuse", element("span", { class: "unseen" }, ` the call of ${tool}`)),
    ];
    question.replaceChildren(element("p", {}, "The model wants to call ", element("code", {}, tool), ", which a person has to approve."), element("div", { class: "buttons" }, ...buttons), complaint);
  }

  return {
    element: root,
    question,
    update(call, decide) {
      if (call.state === shown) return;
      shown = call.state;
      state.className = `state ${call.kind}`;
      state.textContent = call.state;
      time.textContent = call.latencyMs === null ? "" : milliseconds(call.latencyMs);
      result.textContent = call.result ?? "";
      resultPart.hidden = call.result === null;
      const isAsked = call.kind === "waiting" && decide !== undefined;
      if (isAsked) askWith(decide);
      // Nobody approves what he has not seen.
      if (isAsked) details.open = true;
      question.hidden = !isAsked;
    },
  };
}

function readable(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
