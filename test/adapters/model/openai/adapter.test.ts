import { afterAll, beforeAll } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import type { Model } from "../../../../src/ports/model.ts";
import { type ChatServer, startChatServer } from "../../../helpers/chat-server.ts";
import { chatHarness } from "../../../helpers/chat-upstream.ts";
import { describeModel } from "../../../ports/model.contract.ts";

const key = "sk-0123456789abcdef";
let server: ChatServer;
beforeAll(async () => void (server = await startChatServer({ key, models: ["gpt-5.2"] })));
let wholeServer: ChatServer;
beforeAll(async () => void (wholeServer = await startChatServer({ key, models: ["gpt-5.2"], isStreamKnown: false })));
let streamServer: ChatServer;
beforeAll(async () => void (streamServer = await startChatServer({ key, models: ["gpt-5.2"], isWholeKnown: false })));
afterAll(() => Promise.all([server, wholeServer, streamServer].map((each) => each.close())));

const lacks = { toolErrors: "a result has no mark for a failure", error: "an answer has no such end" };

describeModel("openai:", chatHarness(() => server, (url, options) => openModel(`openai:gpt-5.2?${options}`, { dir: "/", env: { OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` } }), lacks));
const openCompatible = (url: string, options: string) => openModel(`${url}/v1#gpt-5.2?${options}`, { dir: "/", env: { MODEL_API_KEY: key } });
describeModel("an OpenAI-compatible server", chatHarness(() => server, openCompatible, lacks));
/** Asked by somebody who reads nothing before the end. */
async function openWhole(url: string, options: string): Promise<Model> {
  const model = await openCompatible(url, options);
  return { ...model, generate: (request) => model.generate({ ...request, isWhole: true }) };
}
const whole = { ...lacks, pieces: "the answer comes whole", breaksOff: "the answer comes whole, or not at all" };
describeModel("an OpenAI-compatible server that is asked for the whole answer", chatHarness(() => server, openWhole, whole));
describeModel("an OpenAI-compatible server that streams whatever it is asked for", chatHarness(() => streamServer, openWhole, whole));
describeModel("an OpenAI-compatible server that knows no streams", chatHarness(() => wholeServer, openCompatible, whole));
