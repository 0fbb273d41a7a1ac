import { afterAll, beforeAll } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import { type ChatServer, startChatServer } from "../../../helpers/chat-server.ts";
import { chatHarness } from "../../../helpers/chat-upstream.ts";
import { describeModel } from "../../../ports/model.contract.ts";

const key = "sk-ant-0123456789abcdef";
let server: ChatServer;
beforeAll(async () => void (server = await startChatServer({ dialect: "anthropic", key, models: ["claude-5"] })));
afterAll(() => server.close());

const lacks = { error: "a message has no such end" };
const opening = (own: string) => (url: string, options: string) => openModel(`anthropic:claude-5?${[own, options].filter((part) => part !== "").join("&")}`, { dir: "/", env: { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url } });

describeModel("anthropic:", chatHarness(() => server, opening(""), lacks));
describeModel("anthropic: with version 2023-06-01", chatHarness(() => server, opening("version=2023-06-01"), lacks));
