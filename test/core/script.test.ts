import { describe, expect, it } from "vitest";
import { charKind, charKindOf, isHangul } from "../../src/core/script.ts";

const kindsOf = (text: string): readonly number[] => Array.from({ length: text.length }, (_, i) => charKindOf(text.charCodeAt(i)));

describe("kinds of characters", () => {
  it.each([
    ["letters and digits of alphabets with spaces", "aZ09éßЖωאعहि한Ａ５", charKind.letter],
    ["characters of scripts without spaces", "漢字かなカナกลາខမ々〇", charKind.ideograph],
    ["signs and punctuation", "_-.,!¡·×÷—“”…。、「」・؟،।€→", charKind.symbol],
    ["white space", " \t\n\r\u00a0\u2003\u200b\u3000\ufeff", charKind.space],
  ])("of %s", (_, text, kind) => {
    expect([...new Set(kindsOf(text))]).toEqual([kind]);
  });

  it("count a surrogate pair once: rare ideographs as ideographs, emoji as signs", () => {
    expect(kindsOf("𠮷👍")).toEqual([charKind.ideograph, charKind.low, charKind.symbol, charKind.low]);
  });

  it("know Korean syllables", () => {
    expect(["한", "漢", "a"].map((text) => isHangul(text.charCodeAt(0)))).toEqual([true, false, false]);
  });
});
