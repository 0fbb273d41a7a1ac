/**
 * What kind of character a UTF-16 code unit is, by a fixed table of code point ranges. Unicode property escapes and
 * Intl.Segmenter would know more, but what they answer depends on the ICU version of the Node at hand, and digests
 * of chunks must come out the same on every machine.
 */
export const charKind = { space: 0, letter: 1, ideograph: 2, symbol: 3, low: 4 } as const;
export type CharKind = (typeof charKind)[keyof typeof charKind];

/** `ideograph` stands for every script that writes words without spaces: Chinese, Japanese, Thai, Lao, Khmer, … */
const ranges: readonly (readonly [from: number, to: number, kind: CharKind])[] = [
  [0x00, 0x20, charKind.space],
  [0x30, 0x39, charKind.letter],
  [0x41, 0x5a, charKind.letter],
  [0x61, 0x7a, charKind.letter],
  [0x7f, 0xa0, charKind.space],
  [0xaa, 0xaa, charKind.letter],
  [0xb5, 0xb5, charKind.letter],
  [0xba, 0xba, charKind.letter],
  [0xc0, 0x1fff, charKind.letter],
  [0xd7, 0xd7, charKind.symbol],
  [0xf7, 0xf7, charKind.symbol],
  // Sentence and list marks of Greek, Armenian, Hebrew, Arabic, Urdu and Devanagari.
  [0x37e, 0x37e, charKind.symbol],
  [0x387, 0x387, charKind.symbol],
  [0x589, 0x58a, charKind.symbol],
  [0x5be, 0x5be, charKind.symbol],
  [0x60c, 0x60d, charKind.symbol],
  [0x61b, 0x61f, charKind.symbol],
  [0x66a, 0x66d, charKind.symbol],
  [0x6d4, 0x6d4, charKind.symbol],
  [0x964, 0x965, charKind.symbol],
  [0xe01, 0x109f, charKind.ideograph],
  [0x1680, 0x1680, charKind.space],
  [0x1780, 0x17ff, charKind.ideograph],
  [0x2000, 0x200b, charKind.space],
  [0x2028, 0x202f, charKind.space],
  [0x205f, 0x2064, charKind.space],
  [0x2c00, 0x2dff, charKind.letter],
  [0x2e80, 0x2fff, charKind.ideograph],
  [0x3000, 0x3000, charKind.space],
  [0x3005, 0x3007, charKind.ideograph],
  [0x3041, 0x312f, charKind.ideograph],
  [0x30fb, 0x30fb, charKind.symbol],
  [0x3130, 0x318f, charKind.letter],
  [0x31a0, 0x31ff, charKind.ideograph],
  [0x3400, 0x9fff, charKind.ideograph],
  [0xa000, 0xd7ff, charKind.letter],
  // First halves of the planes 2 and 3, which hold the rarer ideographs; the other planes are mostly emoji.
  [0xd840, 0xd8bf, charKind.ideograph],
  [0xdc00, 0xdfff, charKind.low],
  [0xf900, 0xfaff, charKind.ideograph],
  [0xfb00, 0xfdff, charKind.letter],
  [0xfe70, 0xfefe, charKind.letter],
  [0xfeff, 0xfeff, charKind.space],
  [0xff10, 0xff19, charKind.letter],
  [0xff21, 0xff3a, charKind.letter],
  [0xff41, 0xff5a, charKind.letter],
  [0xff66, 0xff9f, charKind.ideograph],
];

const kinds = new Uint8Array(0x10000).fill(charKind.symbol);
for (const [from, to, kind] of ranges) kinds.fill(kind, from, to + 1);

/** `low` is the second half of a surrogate pair: it belongs to the unit before it. */
export function charKindOf(codeUnit: number): CharKind {
  return kinds[codeUnit] as CharKind;
}

/** Korean writes spaces, but its syllables carry as much as a few letters each. */
export function isHangul(codeUnit: number): boolean {
  return codeUnit >= 0xac00 && codeUnit <= 0xd7af;
}
