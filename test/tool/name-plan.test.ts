import { describe, expect, it } from "vitest";
import { namesOf } from "../../src/tool/name-plan.ts";

const named = (...tools: readonly string[]): readonly string[] => [...namesOf("shop", tools, (name) => Buffer.from(name).toString("hex")).values()];

describe("names of a server's tools", () => {
  it("begin with the declared name, and have only what every provider takes", () => {
    expect(named("find", "get.order", "ü/x")).toEqual(["shop_find", "shop_get_order", "shop___x"]);
  });

  it("are all different, and stay what they are for whatever needs no change", () => {
    expect(named("get.order", "get_order", "get/order")).toEqual(["shop_get_order_6765742e", "shop_get_order", "shop_get_order_6765742f"]);
    const long = "x".repeat(80);
    const [first = "", second = ""] = named(`a${long}`, `b${long}`);
    expect([first.length, second.length, first === second]).toEqual([64, 64, false]);
  });
});
