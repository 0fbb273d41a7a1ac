import { z } from "zod";
import { eitherOf } from "../core/abort.ts";
import { defineCommand } from "../ports/command.ts";
import { planAddress, usualAddress } from "./address-plan.ts";

export default defineCommand({
  input: z.strictObject({
    answers: z.string().optional().meta({ description: "Script that answers, such as one that `twelve run --record` wrote; without it, the last user message is repeated", valueName: "file" }),
    agents: z.string().optional().meta({ description: "Names to answer for, with commas between them; without it, every name is answered", valueName: "names" }),
    port: z.int().min(0).max(65_535).optional().meta({ description: `Port to listen on, 0 for any free one; PORT or ${usualAddress.port} by default` }),
    host: z.string().default(usualAddress.host).meta({ description: "Address to listen on; no keys are asked for on any", valueName: "address" }),
    realTime: z.boolean().default(false).meta({ description: "Answers are made now, and not always at the same moment" }),
    stdin: z.boolean().default(false).meta({ description: "Stop when standard input is closed, as it is when whoever started it ends" }),
  }),
  output: z.strictObject({ requests: z.int().meta({ description: "How many were taken" }) }),
  isService: true,
  description:
    "Serves the HTTP API of `twelve run` without an application, a store and models: equal requests get equal bytes. The first line on stdout is JSON and has the address under `url`. " +
    "`GET /mock/requests` shows what was asked; `DELETE /mock/requests` begins anew.",
  examples: ["twelve mock --port 0", "twelve mock --answers test/answers.yaml --agents support,sales", "twelve mock --answers test/answers.yaml --port 0 --stdin"],

  async run({ answers: file, agents, port, host, realTime, stdin }, context) {
    const { serveMock } = await import("./mock/serve.ts");
    const names = agents?.split(",").map((name) => name.trim()).filter((name) => name !== "");
    const signal = stdin ? orStdinClosed(context.signal) : context.signal;
    return { requests: await serveMock({ ...context, signal }, { file, agents: names, isRealTime: realTime, ...planAddress({ host, port, agentcore: false }, context.env["PORT"]) }) };
  },

  render: () => "",
});

/** Aborted with `signal` and at the end of standard input, whatever comes before it. */
function orStdinClosed(signal: AbortSignal): AbortSignal {
  const closed = new AbortController();
  const { stdin } = process;
  for (const event of ["end", "close", "error"]) stdin.once(event, () => closed.abort());
  stdin.resume();
  return eitherOf(signal, closed.signal).signal;
}
