import type { DrawnAnswer } from "./answer-view.ts";
import { element } from "./element.ts";
import { figuresTable } from "./figures-view.ts";

export interface TurnView {
  readonly element: HTMLElement;
  /** After the last answer: what the two have otherwise. */
  compare(): void;
}

let turns = 0;

/** A question with its answer, or two answers of two releases side by side. */
export function turnView(question: string, answers: readonly DrawnAnswer[], changes: HTMLElement | undefined): TurnView {
  const id = `turn-${++turns}`;
  const [first, second] = answers;
  const beside = element("div", { class: second === undefined ? "answers one" : "answers two" }, ...answers.map((answer) => answer.element));
  const root = element(
    "article",
    { class: "turn", "aria-labelledby": id },
    element("h2", { class: "asked", id }, element("span", { class: "unseen" }, "You asked: "), question),
    changes,
    beside,
  );
  return {
    element: root,
    compare() {
      if (first === undefined || second === undefined) return;
      const [left, right] = [first.sources.ids(), second.sources.ids()];
      if (left.size > 0 && right.size > 0) {
        first.sources.markOwn(right, first.release);
        second.sources.markOwn(left, second.release);
      }
      if (first.figures !== undefined && second.figures !== undefined) beside.append(figuresTable(first.figures, second.figures));
    },
  };
}
