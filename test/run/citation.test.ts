import { describe, expect, it } from "vitest";
import { citationsIn, mentionsIn } from "../../src/run/citation.ts";
import { chunks } from "./fixture.ts";

describe("citationsIn", () => {
  it.each([
    ["One [2], again [2], then [1].", [2, 1]],
    ["Both [1, 2] or [2;1].", [1, 2]],
    ["Close[1][2].", [1, 2]],
    ["There is no third [3], no [0] and no [x].", []],
    ["A link [1](https://example.org) is none.", []],
    ["[2]: https://example.org", []],
    ["Code `rows[1]` is none.\n```js\nrows[2]\n```\nThis is [2].", [2]],
    ["", []],
  ])("finds in %j the chunks %j", (text, numbers) => {
    expect(citationsIn(text, chunks).map(({ number }) => number)).toEqual(numbers);
  });
});

describe("mentionsIn", () => {
  it("says where the bracket of each citation opens, code or not before it", () => {
    const text = "Code `rows[1]` is none. This is [2, 1], and [2].";
    expect(mentionsIn(text, chunks).map(({ chunk, at }) => [chunk.number, at])).toEqual([[2, text.indexOf("[2, 1]")], [1, text.indexOf("[2, 1]")], [2, text.indexOf("[2].")]]);
  });
});
