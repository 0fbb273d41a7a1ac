import { afterAll } from "vitest";
import { startConverseUpstream } from "../../../helpers/converse-upstream.ts";
import { describeModel } from "../../../ports/model.contract.ts";

const upstream = await startConverseUpstream();
afterAll(() => upstream.server.close());

describeModel("bedrock:", { open: () => upstream.open(), upstream });
