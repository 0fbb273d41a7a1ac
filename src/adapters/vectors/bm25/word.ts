/** The engine leaves out longer words, counted in bytes. */
const maxBytes = 40;
const segmenter = new Intl.Segmenter("en", { granularity: "word" });
const letterOrNumber = /[\p{Alphabetic}\p{N}]+/gu;
/** In these scripts a word is a run of letters and digits. In others a dictionary, or a rule of Unicode, may cut a run. */
const isPlain = /^(?:[^\p{Alphabetic}\p{N}]|[0-9]|[[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]&&\p{L}])*$/v;

const endsInKorean = /\p{Script=Hangul}$/u;
const startsWithKorean = /^\p{Script=Hangul}/u;
const endsInLetter = /(?:[[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hangul}]&&\p{L}]|[0-9])$/v;
const startsWithLetter = /^(?:[[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hangul}]&&\p{L}]|[0-9])/v;

/** Cuts a text as LanceDB's `icu/split` does: Unicode's word boundaries, and again at whatever is neither letter nor number. */
export function wordsOf(text: string): readonly string[] {
  // Segmentation takes ten times as long, so only texts that need it pay for it.
  const pieces = isPlain.test(text) ? [text] : segmentsOf(text);
  const words = pieces.flatMap((piece) => piece.match(letterOrNumber) ?? []);
  return words.filter((word) => Buffer.byteLength(word) < maxBytes).map(lowerCased);
}

/** Node cuts between Korean and other letters or digits, and the engine does not: "REPL을" is one word to it. */
function segmentsOf(text: string): readonly string[] {
  const segments: string[] = [];
  for (const { segment } of segmenter.segment(text)) {
    const last = segments.at(-1) ?? "";
    const isJoined = (endsInKorean.test(last) && startsWithLetter.test(segment)) || (startsWithKorean.test(segment) && endsInLetter.test(last));
    if (isJoined) segments[segments.length - 1] = last + segment;
    else segments.push(segment);
  }
  return segments;
}

/** Letter by letter, so that a sigma at the end of a word is written as elsewhere. */
function lowerCased(word: string): string {
  return word.replaceAll("Σ", "σ").toLowerCase();
}

const foldedLetters: Readonly<Record<string, string>> = {
  ß: "ss", ẞ: "SS", Æ: "AE", æ: "ae", Œ: "OE", œ: "oe", Ø: "O", ø: "o", Ł: "L", ł: "l", Đ: "D", Ð: "D", đ: "d", ð: "d", Þ: "TH", þ: "th",
  Ħ: "H", ħ: "h", Ŧ: "T", ŧ: "t", Ŋ: "N", ŋ: "n", ı: "i", ĸ: "k", ſ: "s",
};

/** Letters with accents become those of ASCII; a letter that has none of them stays. */
export function folded(word: string): string {
  return word.replace(/\P{ASCII}/gu, (letter) => {
    const own = foldedLetters[letter];
    if (own !== undefined) return own;
    const parts = Array.from(letter.normalize("NFKD"), (part) => (/\p{ASCII}/u.test(part) ? part : (foldedLetters[part] ?? "")));
    return parts.join("") || letter;
  });
}
