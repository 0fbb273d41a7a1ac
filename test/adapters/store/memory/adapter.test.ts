import { openStore } from "../../../../src/adapters/store/memory/adapter.ts";
import type { Digest } from "../../../../src/core/descriptor.ts";
import { describeStore } from "../../../ports/store.contract.ts";

describeStore("memory:", async () => {
  const contents = new Map<Digest, Uint8Array>();
  return {
    store: openStore(contents),
    flipBit: async ({ digest }) => {
      const bytes = contents.get(digest);
      if (bytes !== undefined) bytes[0] = (bytes[0] ?? 0) ^ 1;
    },
  };
});
