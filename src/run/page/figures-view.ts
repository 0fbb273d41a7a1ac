import type { AnswerView } from "../ui/schema.ts";
import { element } from "./element.ts";
import { count, difference, dollars, milliseconds } from "./format.ts";

/** One answer with what is not in it. */
export interface Figures {
  readonly release: string;
  readonly prompt: string;
  readonly text: string;
  readonly answer: AnswerView;
}

type Row = readonly [label: string, text: (figures: Figures) => string, number?: (answer: AnswerView) => number | null, format?: (value: number) => string];

const rows: readonly Row[] = [
  ["First token", ({ answer }) => milliseconds(answer.timeToFirstTokenMs), (answer) => answer.timeToFirstTokenMs, milliseconds],
  ["Whole answer", ({ answer }) => milliseconds(answer.latencyMs), (answer) => answer.latencyMs, milliseconds],
  ["Input tokens", ({ answer: { usage } }) => count(usage.inputTokens), ({ usage }) => usage.inputTokens, count],
  ["of them cached", ({ answer: { usage } }) => count(usage.cachedInputTokens), ({ usage }) => usage.cachedInputTokens, count],
  ["Output tokens", ({ answer: { usage } }) => count(usage.outputTokens), ({ usage }) => usage.outputTokens, count],
  ["Cost", ({ answer }) => dollars(answer.costUsd), (answer) => answer.costUsd, dollars],
  ["Answer", ({ text }) => `${count(text.split(/\s+/).filter((word) => word !== "").length)} words`],
  ["Model", ({ answer: { reference, model } }) => (reference.endsWith(model) ? reference : `${reference} (${model})`)],
  ["Prompt", ({ prompt }) => prompt],
  ["Ended with", ({ answer: { finishReason } }) => finishReason],
];

export function figuresList(figures: Figures): HTMLElement {
  return element("dl", { class: "figures" }, ...rows.map(([label, text]) => element("div", {}, element("dt", {}, label), element("dd", {}, text(figures)))));
}

/** Two answers side by side; the last column says how much more the first has. */
export function figuresTable(first: Figures, second: Figures): HTMLElement {
  const head = ["", first.release, second.release, "Difference"].map((text) => (text === "" ? element("td") : element("th", { scope: "col" }, text)));
  const body = rows.map(([label, text, number, format]) => {
    const [left, right] = [text(first), text(second)];
    const isSame = label === "Answer" ? first.text === second.text : left === right;
    const change = number === undefined || format === undefined ? (isSame ? "same" : "differs") : difference(number(first.answer), number(second.answer), format);
    return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, left), element("td", {}, right), element("td", { class: change === "same" ? "same" : "differs" }, change));
  });
  return element("div", { class: "wide figures-pair", tabindex: "0", role: "region", "aria-label": "Figures side by side" }, element("table", { class: "side" }, element("caption", {}, "Figures"), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
}
