import { expect, it } from "vitest";
import { flagsFor } from "../../src/core/flag.ts";

it("gives the flags that say the same again", () => {
  expect(flagsFor({ env: "staging", drainSeconds: 60, logContent: true, isQuiet: false, host: undefined, file: ["a", "-b"] })).toEqual(["--env=staging", "--drain-seconds=60", "--log-content", "--file=a", "--file=-b"]);
});
