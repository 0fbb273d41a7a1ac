import { countTokens } from "../../core/tokens.ts";
import type { ModelRequest, Usage } from "../../ports/model.ts";

/** Chat formats spend about this much on a message beside its text. */
const tokensAroundMessage = 4;

/** For a provider that does not count: what was sent and what came, as well as we can. Images are left out. */
export function estimateUsage({ messages, tools = [] }: ModelRequest, answer: string): Usage {
  const sent = messages.map(({ content, toolCalls = [] }) => countTokens(content + toolCalls.map((call) => call.name + call.arguments).join("")) + tokensAroundMessage);
  const described = tools.map((tool) => countTokens(JSON.stringify(tool)));
  return { inputTokens: [...sent, ...described].reduce((sum, count) => sum + count, 0), outputTokens: countTokens(answer), cachedInputTokens: 0 };
}
