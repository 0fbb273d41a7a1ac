import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { describeStore } from "../../../ports/store.contract.ts";
import { flipBit } from "./damage.ts";

describeStore("file:", async () => {
  const folder = await temporaryFolder();
  return { store: openStore("file:store", folder), flipBit: (blob) => flipBit(folder, blob.digest) };
});
