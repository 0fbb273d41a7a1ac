import { charKind, charKindOf } from "../../../core/script.ts";

/**
 * One word of a text, lower-cased. Scripts without spaces
 * give one run per stretch between spaces or punctuation, marked by `isRun`.
 */
export interface Word {
  readonly text: string;
  readonly isRun: boolean;
}

/** In order; camelCase gives the whole word and then its parts, so that either form finds the other. */
export function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  const normal = text.normalize("NFKC");
  let start = 0;
  let kind = -1;
  for (let i = 0; i <= normal.length; i++) {
    const found = i === normal.length ? -1 : charKindOf(normal.charCodeAt(i));
    if (found === kind || found === charKind.low) continue;
    if (kind === charKind.letter) addWord(words, normal.slice(start, i));
    if (kind === charKind.ideograph) words.push({ text: normal.slice(start, i), isRun: true });
    start = i;
    kind = found;
  }
  return words;
}

function addWord(words: Word[], word: string): void {
  words.push({ text: word.toLowerCase(), isRun: false });
  if (!/[a-z0-9][A-Z]/.test(word)) return;
  for (const part of word.split(/(?<=[a-z0-9])(?=[A-Z])/)) words.push({ text: part.toLowerCase(), isRun: false });
}

/** Words that say nothing about the subject; without document counts they would drown the others. */
export const stopWords: ReadonlySet<string> = new Set(
  ("a about after all also am an and any are as at be because been but by can could did do does for from had has have he her his how i if in into is it its me my " +
    "no not of on or our out she should so some such than that the their them then there these they this those to up us was we were what when where which who will with would you your").split(" "),
);

const endings = ["ations", "ation", "ization", "ingly", "ments", "ment", "ing", "edly", "ed", "ness", "ities", "ity", "ively", "ive", "ally", "al", "ly", "er", "ors", "or", "e", "y"];

/** A light English stem: the plural, then one ending, as long as four letters stay. */
export function stemOf(word: string): string {
  const singular = singularOf(word);
  const ending = endings.find((candidate) => singular.endsWith(candidate) && singular.length - candidate.length >= 4);
  const stem = ending === undefined ? singular : singular.slice(0, -ending.length);
  return /([bdfgmnprt])\1$/.test(stem) ? stem.slice(0, -1) : stem;
}

function singularOf(word: string): string {
  if (word.length <= 3 || !word.endsWith("s")) return word;
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(ss|sh|ch|x|z)es$/.test(word)) return word.slice(0, -2);
  return /(ss|us|is)$/.test(word) ? word : word.slice(0, -1);
}
