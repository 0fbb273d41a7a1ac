import { charKind, charKindOf, isHangul } from "../core/script.ts";

/**
 * The chunker's tokens: an estimate of what subword tokenizers count, by fixed rules, so that chunks are cut alike on
 * every machine. A run of letters and digits takes one token per six Latin, three other or one Korean character;
 * a character of a script without spaces is one token; so is every other sign. Spaces are free.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  let sixths = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const kind = charKindOf(unit);
    if (kind === charKind.letter) {
      sixths += unit < 0x370 ? 1 : isHangul(unit) ? 6 : 2;
      continue;
    }
    tokens += Math.ceil(sixths / 6);
    sixths = 0;
    if (kind === charKind.ideograph || kind === charKind.symbol) tokens++;
  }
  return tokens + Math.ceil(sixths / 6);
}
