import { describe, expect, it } from "vitest";
import { missingProgram } from "../../src/build/packaged-plan.ts";

const packaged = ["tools/order.js", "tools/run", "clock.py"];

describe("a command line", () => {
  it.each([
    ["node tools/order.js"],
    ["node ./tools/order.js --fast"],
    ["KEY=value python3 -u clock.py | tee other.py"],
    ["./tools/run"],
    ["node -e 'require(\"./x.js\")'"],
    ["python3 -m tools.stock x.py"],
    ["cat"],
    ["/usr/bin/tool absent.py"],
    ["cd tools && node absent.js"],
    ["node $HOME/absent.js"],
    ["npx tool absent.js"],
  ])("that starts what is packaged, or nobody can say what, is good: %s", (line) => {
    expect(missingProgram(line, packaged)).toBeUndefined();
  });

  it.each([
    ["node tools/absent.js", "tools/absent.js"],
    ["node --import ./tools/absent.js tools/order.js", "tools/absent.js"],
    ["KEY=value python3.12 -u absent.py --flag", "absent.py"],
    ["./tools/absent --flag", "tools/absent"],
    ["node tools/absent.js && echo done", "tools/absent.js"],
    ["node ../order.js", "../order.js"],
  ])("that starts a file which is not packaged is not: %s", (line, file) => {
    expect(missingProgram(line, packaged)).toContain(`A build would package no ${file}, `);
  });
});
