import type { ReleaseView, ToolView } from "../ui/schema.ts";
import { element, found } from "./element.ts";

/** A comparison asks two releases, and both do what the model wants done: whoever wants that says so. */
export interface TwiceView {
  /** For the releases that are asked next. */
  show(releases: readonly Pick<ReleaseView, "agents">[], agent: string): void;
  /** False, with the box marked, where somebody has to agree first. */
  isAllowed(): boolean;
}

export function twiceView(): TwiceView {
  const root = found("twice", HTMLElement);
  let box: HTMLInputElement | undefined;
  return {
    show(releases, agent) {
      const tools = releases.length < 2 ? [] : toolsOf(releases, agent);
      const risky = tools.filter(({ isRepeatable }) => !isRepeatable);
      root.hidden = tools.length === 0;
      box = risky.length === 0 ? undefined : element("input", { type: "checkbox", required: true });
      const text = `Both releases call their tools${risky.length === 0 ? `, ${namesOf(tools)}, which may be called twice.` : `: what ${namesOf(risky)} ${risky.length === 1 ? "does" : "do"} may be done twice. Ask both all the same`}`;
      root.replaceChildren(box === undefined ? text : element("label", {}, box, text));
    },
    isAllowed: () => box?.reportValidity() ?? true,
  };
}

function toolsOf(releases: readonly Pick<ReleaseView, "agents">[], agent: string): readonly ToolView[] {
  const all = releases.flatMap(({ agents }) => agents.find(({ name }) => name === agent)?.tools ?? []);
  // What one of them must not repeat is not repeated.
  return [...new Map(all.toSorted((left, right) => Number(right.isRepeatable) - Number(left.isRepeatable)).map((tool) => [tool.name, tool])).values()];
}

function namesOf(tools: readonly ToolView[]): string {
  return tools.map(({ name }) => name).join(" and ");
}
