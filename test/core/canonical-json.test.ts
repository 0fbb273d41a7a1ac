import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/canonical-json.ts";

describe("canonical JSON", () => {
  it("writes the sample of RFC 8785, section 3.2.4, as the RFC does", () => {
    const sample = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    const expected = '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    expect(canonicalJson(sample)).toBe(expected);
  });

  it("sorts keys by UTF-16 code unit, as section 3.2.3 of the RFC shows", () => {
    const sample = { "\u20ac": 5, "\r": 2, "\ufb33": 7, "1": 1, "\u{1f600}": 6, "\u0080": 3, "\u00f6": 4 };
    expect(canonicalJson(sample)).toBe(`{"\\r":2,"1":1,"\u0080":3,"\u00f6":4,"\u20ac":5,"\u{1f600}":6,"\ufb33":7}`);
  });

  it("leaves out undefined members and writes minus zero as 0", () => {
    expect(canonicalJson({ b: undefined, a: -0 })).toBe('{"a":0}');
  });

  it("writes the same whether or not the keys come in order, at any depth", () => {
    const inOrder = { a: [{ b: 1, c: "ü\"\n" }, { b: null, c: true }], d: { e: -0, f: [] } };
    const outOfOrder = { d: { f: [], e: -0 }, a: [{ c: "ü\"\n", b: 1 }, { b: null, c: true }] };
    expect(canonicalJson(inOrder)).toBe('{"a":[{"b":1,"c":"ü\\"\\n"},{"b":null,"c":true}],"d":{"e":0,"f":[]}}');
    expect(canonicalJson(outOfOrder)).toBe(canonicalJson(inOrder));
  });

  it("sorts keys that are numbers as text, which no object keeps them in", () => {
    expect(canonicalJson({ 9: 1, 10: 2 })).toBe('{"10":2,"9":1}');
    expect(canonicalJson([{ 9: 1, 10: 2 }])).toBe('[{"10":2,"9":1}]');
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], ["\ud800"], [{ "\ud800": 1 }], [[undefined]], [{ f: () => 1 }]])("refuses %s, which has no canonical form", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
