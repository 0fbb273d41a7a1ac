import { splitMarks } from "./marks.ts";

/** Tells a screen reader an answer that is still coming: paragraph by paragraph, not word by word. */
export interface Announcer {
  text(text: string): void;
  /** Whatever was not told yet. */
  rest(): void;
}

export function announceParagraphs(tell: (text: string) => void, isSource: (number: number) => boolean): Announcer {
  let waiting = "";
  const tellNow = (text: string): void => {
    const plain = plainText(text, isSource);
    if (plain !== "") tell(plain);
  };
  return {
    text(text) {
      const parts = (waiting + text).split(/\n\s*\n/);
      waiting = parts.pop() ?? "";
      for (const part of parts) tellNow(part);
    },
    rest() {
      tellNow(waiting);
      waiting = "";
    },
  };
}

/** Signs that are markup would be read out. */
function plainText(markdown: string, isSource: (number: number) => boolean): string {
  const spoken = splitMarks(markdown, isSource).map((piece) => (typeof piece === "string" ? piece : `source ${piece} `)).join("");
  return spoken.replaceAll(/^\s*(?:#+|[-*+]|>|```\w*)(?:\s+|$)/gm, "").replaceAll(/[*_`]+/g, "").replaceAll(/\s+/g, " ").trim();
}
