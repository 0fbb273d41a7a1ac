import { afterAll } from "vitest";
import { startSagemakerUpstream } from "../../../helpers/sagemaker-upstream.ts";
import { describeModel } from "../../../ports/model.contract.ts";

const upstream = await startSagemakerUpstream();
afterAll(() => upstream.server.close());

describeModel("sagemaker:", { open: () => upstream.open(), upstream });
