import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach } from "vitest";
import { stringify } from "yaml";
import { openModel } from "../../../../src/adapters/model/mock/adapter.ts";
import type { Model, ModelRequest } from "../../../../src/ports/model.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { describeModel } from "../../../ports/model.contract.ts";
import { failureKinds, scriptedUsage, type UpstreamReply } from "../../../ports/model-upstream.ts";

const noProtocol = "a script is no protocol";
const veryLongMs = 86_400_000;
let replies: UpstreamReply[] = [];
let received: ModelRequest[] = [];
let open = 0;
let whenClosed: () => void = () => {};

beforeEach(() => {
  replies = [];
  received = [];
  open = 0;
});

/** A model that reads the next reply's script at each request. */
function model(): Model {
  return {
    provider: "mock",
    id: "script",
    async check(signal) {
      signal?.throwIfAborted();
      return (await openReply({ says: ["x"] })).check(signal);
    },
    async *generate(request) {
      request.signal?.throwIfAborted();
      const reply = replies.shift();
      received.push(request);
      open++;
      try {
        yield* (await openReply(reply ?? {})).generate(request);
      } finally {
        open--;
        whenClosed();
      }
    },
  };
}

async function openReply(reply: UpstreamReply): Promise<Model> {
  const dir = await temporaryFolder();
  await writeFile(join(dir, "script.yaml"), stringify({ replies: [scripted(reply)] }));
  return openModel("mock:script:script.yaml", dir);
}

function scripted({ reasons, says = [], callsTools, finish, usage = scriptedUsage, ending, fails }: UpstreamReply): object {
  if (fails !== undefined) return { fail: { code: failureKinds[fails.kind].code, message: fails.message, ...(fails.retryAfterMs === undefined ? {} : { retryAfterMs: fails.retryAfterMs }) } };
  const say = says.join("");
  return {
    ...(reasons === undefined ? {} : { think: reasons }),
    say,
    ...(callsTools === undefined ? {} : { callTools: callsTools }),
    ...(finish === undefined ? {} : { finish }),
    usage,
    ...(ending === "hangs" ? (say === "" ? { latencyMs: veryLongMs } : { msPerToken: veryLongMs }) : {}),
    ...(ending === "breaksOff" ? { fail: { code: "SERVICE_CUT", afterTokens: 1000 } } : {}),
  };
}

describeModel("mock:script:", {
  open: () => Promise.resolve(model()),
  upstream: {
    script(...next) {
      replies = [...next];
      received = [];
    },
    received: () => received,
    closed: () => new Promise((resolve) => {
      whenClosed = () => void (open === 0 && resolve());
      whenClosed();
    }),
    openImpatient: () => Promise.resolve(model()),
    openUnreachable: () => Promise.resolve(model()),
    lacks: { timeout: noProtocol, unreachable: noProtocol, requestId: noProtocol, responseId: noProtocol },
  },
});
