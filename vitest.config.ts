import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // End-to-end tests start real processes; two cores need patience, and a timed test proves nothing.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
