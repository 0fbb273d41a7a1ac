/** Words that carry no topic; the shorter list of Lucene, with question words. */
const stopWords = new Set(
  ("a about all also am an and any are as at be been but by can could did do does for from get had has have how i if in " +
    "into is it its just long many may me much my no not of on one or our shall should so some such take than that the their them then there " +
    "these they this to us use was we were what when where which who whom whose why will with would you your").split(" "),
);

/** Scripts that are written without spaces: their characters are taken in pairs. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const words = /[\p{L}\p{M}\p{N}]+/gu;

/** The content words of a text, lower-cased and stemmed, with repetitions. */
export function termsOf(text: string): readonly string[] {
  const terms: string[] = [];
  for (const [word] of text.normalize("NFKC").toLowerCase().matchAll(words)) {
    if (unspaced.test(word)) terms.push(...pairsOf(word));
    else if (!stopWords.has(word)) terms.push(stem(word));
  }
  return terms;
}

/** Whether a term is a pair of characters of a script without spaces, which may span two words. */
export function isPair(term: string): boolean {
  return unspaced.test(term);
}

function pairsOf(word: string): readonly string[] {
  const characters = Array.from(word);
  return characters.length === 1 ? characters : characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

/**
 * Takes off the English endings that separate a question's words from the document's: "limits" and "limit",
 * "processes", "stored" and "storing". Light on purpose: a wrong match is worse here than a missed one.
 */
export function stem(word: string): string {
  if (!/^[a-z]{4,}$/.test(word)) return word;
  const singular = word
    .replace(/(ss|sh|ch|x|z)es$/, "$1")
    .replace(/([^aeiou])ies$/, "$1y")
    .replace(/([^su])s$/, "$1");
  const root = singular.replace(/(?:ing|ed)$/, "");
  if (root === singular || root.length < 3 || !/[aeiouy]/.test(root)) return dropFinal(singular);
  return dropFinal(root.replace(/([bdgklmnprt])\1$/, "$1"));
}

/** "store" and "stored" meet at "stor", "policy" and "policies" at "polici". */
function dropFinal(word: string): string {
  if (word.length > 3 && word.endsWith("e")) return word.slice(0, -1);
  return word.length > 3 ? word.replace(/([^aeiou])y$/, "$1i") : word;
}
