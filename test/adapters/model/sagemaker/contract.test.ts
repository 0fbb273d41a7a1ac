import { afterAll } from "vitest";
import { type SagemakerOptions, startSagemakerUpstream } from "../../../helpers/sagemaker-upstream.ts";
import { describeModel } from "../../../ports/model.contract.ts";

const forms: readonly (readonly [string, SagemakerOptions])[] = [
  ["sagemaker:", {}],
  ["sagemaker: without a stream", { isStream: false }],
  ["sagemaker: in TGI's format", { format: "tgi" }],
  ["sagemaker: in TGI's format without a stream", { format: "tgi", isStream: false }],
];

for (const [name, options] of forms) {
  const upstream = await startSagemakerUpstream(options);
  afterAll(() => upstream.server.close());
  describeModel(name, { open: () => upstream.open(), upstream });
}
