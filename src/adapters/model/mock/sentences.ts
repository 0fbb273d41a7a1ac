/** Where a sentence can end: a mark, closing quotes, then space and something that opens a sentence; or a full-width mark. */
const boundary = /(?<=[.!?…؟।]["'”’)\]*_]*)\s+(?=[\p{Lu}\p{Lo}\p{N}"'“‘([*`])|(?<=[。！？][」』”’）]*)(?![。！？」』”’）])/u;
const abbreviation = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|mr|mrs|ms|dr|prof|st|no|fig|approx|inc|ltd|\p{L})\.$/iu;

/**
 * The sentences of a passage of markdown or plain text, in reading order. Code blocks, tables, headings and HTML are
 * left out: they do not read as sentences. Links keep their text only.
 */
export function sentencesOf(text: string): readonly string[] {
  return blocksOf(text).flatMap((block) => splitBlock(plainText(block)));
}

/** Runs of lines that read as one text: paragraphs and list items. */
function blocksOf(text: string): readonly string[] {
  const blocks: string[] = [];
  let open = "";
  let fence: string | undefined;
  const close = (): void => {
    if (open !== "") blocks.push(open);
    open = "";
  };
  for (const line of text.split(/\r?\n/)) {
    const marker = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (marker?.startsWith(fence) === true) fence = undefined;
      continue;
    }
    if (marker !== undefined) {
      close();
      fence = marker;
      continue;
    }
    // A heading underlined in the old style has already been taken for a paragraph.
    if (/^\s*(=+|-+)\s*$/.test(line) && open !== "") open = "";
    else if (isNoise(line)) close();
    else {
      const item = /^\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)$/.exec(line)?.[1];
      if (item !== undefined) close();
      const content = (item ?? line).replace(/^\s*>\s?/, "").trim();
      open = open === "" ? content : `${open} ${content}`;
    }
  }
  close();
  return blocks;
}

function isNoise(line: string): boolean {
  const trimmed = line.trim();
  return trimmed === "" || /^(#{1,6}\s|\||<\/?[a-zA-Z!]|(?:import|export)\s.*['"{]|\[[^\]]+\]:\s|([-*_]\s*){3,}$)/.test(trimmed);
}

function plainText(block: string): string {
  return block
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replaceAll(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replaceAll(/<(https?:[^>\s]+)>/g, "$1")
    .replaceAll(/<\/?[a-zA-Z][^>]*>/g, "")
    .replaceAll(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, "$2")
    .replaceAll(/(?<![\p{L}\p{N}*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\p{L}\p{N}*])/gu, "$1")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function splitBlock(block: string): readonly string[] {
  const sentences: string[] = [];
  let open = "";
  for (const piece of block.split(boundary)) {
    open = open === "" ? piece : `${open} ${piece}`;
    if (abbreviation.test(open)) continue;
    sentences.push(open.trim());
    open = "";
  }
  if (open !== "") sentences.push(open.trim());
  // A lone mark or number says nothing.
  return sentences.filter((sentence) => /\p{L}{2}|\p{Lo}/u.test(sentence));
}
