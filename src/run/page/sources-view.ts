import type { ChunkView } from "../ui/schema.ts";
import { element } from "./element.ts";
import { milliseconds, score } from "./format.ts";

export interface SourcesView {
  readonly element: HTMLElement;
  show(chunks: readonly ChunkView[], retrievalMs: number | null): void;
  readonly isSource: (number: number) => boolean;
  /** The button in the answer that leads to a chunk. */
  readonly mark: (number: number) => HTMLElement;
  /** Tells the chunks that the answer cites from those that it only had. */
  markCited(numbers: readonly number[]): void;
  /** Marks the chunks that the other release did not retrieve. */
  markOwn(others: ReadonlySet<string>, release: string): void;
  ids(): ReadonlySet<string>;
}

interface Drawn {
  readonly chunk: ChunkView;
  readonly item: HTMLLIElement;
  readonly tags: HTMLElement;
  readonly back: HTMLButtonElement;
}

export function sourcesView(): SourcesView {
  let drawn: readonly Drawn[] = [];
  /** The mark in the answer that led to a chunk. */
  let cameFrom: HTMLElement | undefined;
  const heading = element("h3", {}, "Retrieved");
  const list = element("ol", { class: "chunks" });
  const root = element("section", { class: "sources", "aria-label": "Retrieved passages", hidden: true }, heading, list);
  const find = (number: number): Drawn | undefined => drawn.find(({ chunk }) => chunk.number === number);

  function goBack({ item, back }: Drawn): void {
    back.hidden = true;
    item.classList.remove("shown");
    cameFrom?.focus();
  }

  function goTo({ item }: Drawn, from: HTMLElement): void {
    for (const other of drawn) {
      other.item.classList.toggle("shown", other.item === item);
      other.back.hidden = other.item !== item;
    }
    cameFrom = from;
    item.scrollIntoView({ block: "nearest" });
    item.focus({ preventScroll: true });
  }

  return {
    element: root,
    show(chunks, retrievalMs) {
      drawn = chunks.map(draw);
      for (const each of drawn) each.back.addEventListener("click", () => goBack(each));
      list.replaceChildren(...drawn.map(({ item }) => item));
      heading.replaceChildren(chunks.length === 0 ? "Nothing retrieved" : `${chunks.length} retrieved`, element("span", { class: "hint" }, retrievalMs === null ? "" : ` in ${milliseconds(retrievalMs)}`));
      root.hidden = false;
    },
    isSource: (number) => find(number) !== undefined,
    mark(number) {
      const target = find(number);
      const { document: path = "", headings = "" } = target?.chunk ?? {};
      const button = element("button", { type: "button", class: "mark", "aria-label": `Source ${number}: ${[path, headings].filter((part) => part !== "").join(", ")}` }, String(number));
      button.addEventListener("click", () => target && goTo(target, button));
      return button;
    },
    markCited(numbers) {
      for (const { chunk, item, tags } of drawn) {
        if (!numbers.includes(chunk.number)) continue;
        item.classList.add("cited");
        tags.prepend(element("span", { class: "tag" }, "cited"));
      }
    },
    markOwn(others, release) {
      for (const { chunk, item, tags } of drawn) {
        if (others.has(chunk.id)) continue;
        item.classList.add("own");
        tags.append(element("span", { class: "tag own" }, `only in ${release}`));
      }
    },
    ids: () => new Set(drawn.map(({ chunk }) => chunk.id)),
  };
}

/** Folded, a passage is its first lines; unfolded, it is the text that the model was given, with every line break. */
const longText = 240;

function draw(chunk: ChunkView): Drawn {
  const { number, document: path, headings, text } = chunk;
  const tags = element("span", { class: "tags" });
  const back = element("button", { type: "button", class: "quiet small", hidden: true }, "Back to the answer");
  const isLong = text.length > longText || /\n\s*\n/.test(text);
  const body = element("p", { class: isLong ? "passage folded" : "passage" }, text);
  const item = element(
    "li",
    { class: "chunk", tabindex: "-1" },
    element("div", { class: "head" }, element("span", { class: "number", "aria-hidden": "true" }, String(number)), element("span", { class: "path" }, element("span", { class: "unseen" }, `Source ${number}: `), path), element("span", { class: "score", title: "Score of the last stage" }, element("span", { class: "unseen" }, "score "), score(chunk.score))),
    headings === "" ? undefined : element("p", { class: "headings" }, headings.replaceAll(" > ", " › ")),
    body,
    element("div", { class: "foot" }, tags, ...scoresOf(chunk), isLong ? unfold(body, number) : undefined),
    back,
  );
  return { chunk, item, tags, back };
}

function unfold(body: HTMLElement, number: number): HTMLElement {
  const button = element("button", { type: "button", class: "quiet small", "aria-expanded": "false" }, "Show all", element("span", { class: "unseen" }, ` of source ${number}`));
  button.addEventListener("click", () => {
    const isFolded = body.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!isFolded));
    button.firstChild?.replaceWith(isFolded ? "Show all" : "Show less");
  });
  return button;
}

/** What each stage of the retrieval made of it, with the place that it gave. */
function scoresOf({ scores: { vector, text, fused, rerank } }: ChunkView): readonly HTMLElement[] {
  const stages = [["vector", vector], ["text", text], ["fused", fused === undefined ? undefined : { score: fused }], ["rerank", rerank]] as const;
  return stages.flatMap(([name, value]) => {
    if (value === undefined) return [];
    const rank = "rank" in value ? element("span", { class: "rank" }, ` #${value.rank}`) : undefined;
    return [element("span", { class: "stage" }, `${name} `, element("b", {}, score(value.score)), rank)];
  });
}
