import { describe, expect, it } from "vitest";
import { planAddress } from "../../src/run/address-plan.ts";

const nothing = { host: undefined, port: undefined, agentcore: false };

describe("planAddress", () => {
  it.each([
    ["this machine alone by default", nothing, undefined, { host: "127.0.0.1", port: 3000 }],
    ["PORT", nothing, "8000", { host: "127.0.0.1", port: 8000 }],
    ["an empty PORT as none", nothing, "", { host: "127.0.0.1", port: 3000 }],
    ["flags before PORT", { ...nothing, host: "::1", port: 0 }, "8000", { host: "::1", port: 0 }],
    ["where AgentCore looks", { ...nothing, agentcore: true }, undefined, { host: "0.0.0.0", port: 8080 }],
    ["flags before that, too", { host: "127.0.0.1", port: 9000, agentcore: true }, "8000", { host: "127.0.0.1", port: 9000 }],
  ])("takes %s", (_what, flags, variable, address) => {
    expect(planAddress(flags, variable)).toEqual(address);
  });

  it.each(["http", "70000", "-1", " 80"])("refuses PORT=%j", (variable) => {
    expect(() => planAddress(nothing, variable)).toThrow(expect.objectContaining({ code: "USAGE_INVALID", message: `PORT is ${JSON.stringify(variable)}; expected a number from 0 to 65535` }));
  });
});
