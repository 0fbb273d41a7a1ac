/**
 * The ends of life that providers have announced, by reference without options. Only what a provider's own page says, or was
 * quoted from it, stands here; a model that is not in the table is unknown, which says nothing about how long it will live.
 */
export const lifecycleTable: { readonly madeOn: string; readonly ends: Readonly<Record<string, string>> } = {
  madeOn: "2026-11-25",
  ends: {
    // OpenAI's page "Deprecations", as it stood in January, April and May 2026.
    "openai:codex-mini-latest": "2026-01-16",
    "openai:chatgpt-4o-latest": "2026-02-17",
    ...all("2026-07-23", [
      "computer-use-preview", "computer-use-preview-2025-03-11", "gpt-4o-audio-preview-2024-12-17", "gpt-4o-mini-audio-preview-2024-12-17", "gpt-4o-mini-realtime-preview-2024-12-17",
      "gpt-4o-mini-search-preview-2025-03-11", "gpt-4o-search-preview-2025-03-11", "gpt-4o-mini-tts-2025-03-20", "gpt-5-chat-latest", "gpt-5-codex", "gpt-5.1-chat-latest", "gpt-5.1-codex", "gpt-5.1-codex-max",
      "gpt-5.1-codex-mini", "gpt-5.2-codex", "gpt-audio-mini-2025-10-06", "gpt-realtime-mini-2025-10-06", "o3-deep-research", "o3-deep-research-2025-06-26", "o4-mini-deep-research", "o4-mini-deep-research-2025-06-26",
    ]),
    ...all("2026-08-10", ["gpt-5.2-chat-latest", "gpt-5.3-chat-latest"]),
    ...all("2026-10-23", ["gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-4", "gpt-4-0613"]),
    // Anthropic's page "Model deprecations", for the Claude API; Bedrock has dates of its own, which `models check` asks for.
    "anthropic:claude-2.0": "2025-07-21",
    "anthropic:claude-2.1": "2025-07-21",
    "anthropic:claude-3-sonnet-20240229": "2025-07-21",
    "anthropic:claude-3-opus-20240229": "2026-01-05",
    "anthropic:claude-sonnet-4-20250514": "2026-06-15",
    "anthropic:claude-sonnet-4-0": "2026-06-15",
    "anthropic:claude-opus-4-20250514": "2026-06-15",
    "anthropic:claude-opus-4-0": "2026-06-15",
  },
};

function all(date: string, models: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(models.map((model) => [`openai:${model}`, date]));
}
