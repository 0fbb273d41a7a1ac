/**
 * The ends of life that providers have announced, by reference without options. Only what a provider's own page, or its own
 * client library, says stands here; a model that is not in the table is unknown, which says nothing about how long it will live.
 */
export const lifecycleTable: { readonly madeOn: string; readonly ends: Readonly<Record<string, string>> } = {
  madeOn: "2026-11-25",
  ends: {
    // OpenAI's page "Deprecations" as of September to November 2026, and the values that its client library 7.57.0 calls deprecated.
    ...all("openai:", {
      "2024-09-13": ["gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", "gpt-3.5-turbo-16k", "gpt-3.5-turbo-16k-0613"],
      "2024-12-06": ["gpt-4-vision-preview", "gpt-4-1106-vision-preview"],
      "2025-06-06": ["gpt-4-32k", "gpt-4-32k-0314", "gpt-4-32k-0613"],
      "2025-07-14": ["gpt-4.5-preview"],
      "2025-07-28": ["o1-preview", "o1-preview-2024-09-12"],
      "2025-10-10": ["gpt-4o-audio-preview-2024-10-01"],
      "2025-10-27": ["o1-mini", "o1-mini-2024-09-12"],
      "2026-02-12": ["codex-mini-latest"],
      "2026-02-17": ["chatgpt-4o-latest"],
      "2026-03-26": ["gpt-4-0125-preview", "gpt-4-0314", "gpt-4-turbo-preview"],
      "2026-05-07": ["gpt-4o-audio-preview", "gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview-2025-06-03", "gpt-4o-mini-audio-preview", "gpt-4o-mini-audio-preview-2024-12-17"],
      "2026-07-23": [
        "computer-use-preview", "computer-use-preview-2025-03-11", "gpt-4o-mini-search-preview", "gpt-4o-mini-search-preview-2025-03-11", "gpt-4o-search-preview", "gpt-4o-search-preview-2025-03-11",
        "gpt-5-chat-latest", "gpt-5-codex", "gpt-5.1-chat-latest", "gpt-5.1-codex", "gpt-5.1-codex-max", "gpt-5.1-codex-mini", "gpt-5.2-codex", "gpt-audio-mini-2025-10-06",
        "o3-deep-research", "o3-deep-research-2025-06-26", "o4-mini-deep-research", "o4-mini-deep-research-2025-06-26",
      ],
      "2026-08-10": ["gpt-5.2-chat-latest", "gpt-5.3-chat-latest"],
      "2026-09-28": ["gpt-3.5-turbo-1106", "gpt-3.5-turbo-instruct"],
      "2026-10-01": ["gpt-5.4-cyber"],
      "2026-10-23": [
        "gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-4", "gpt-4-0613", "gpt-4-1106-preview", "gpt-4-turbo", "gpt-4-turbo-2024-04-09", "gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", "gpt-4o-2024-05-13",
        "o1", "o1-2024-12-17", "o1-pro", "o1-pro-2025-03-19", "o3-mini", "o3-mini-2025-01-31", "o4-mini", "o4-mini-2025-04-16",
      ],
      "2026-12-11": ["gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt-5-nano", "gpt-5-nano-2025-08-07", "gpt-5-pro", "gpt-5-pro-2025-10-06", "o3", "o3-2025-04-16", "o3-pro", "o3-pro-2025-06-10"],
      "2027-01-14": ["gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"],
      "2027-01-20": ["gpt-audio", "gpt-audio-mini", "gpt-audio-mini-2025-12-15"],
      "2027-04-01": ["gpt-5.1", "gpt-5.1-2025-11-13", "gpt-5.4-nano", "gpt-5.4-nano-2026-03-17"],
    }),
    // Anthropic's page "Model deprecations", for the Claude API, and its client library 1.13.0; Bedrock has dates of its own, which `models check` asks for.
    ...all("anthropic:", {
      "2024-11-06": ["claude-1.0", "claude-1.1", "claude-1.2", "claude-1.3", "claude-instant-1.0", "claude-instant-1.1", "claude-instant-1.2"],
      "2025-07-21": ["claude-2.0", "claude-2.1", "claude-3-sonnet-20240229"],
      "2025-10-28": ["claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"],
      "2026-01-05": ["claude-3-opus-20240229"],
      "2026-02-19": ["claude-3-5-haiku-20241022", "claude-3-7-sonnet-20250219"],
      "2026-04-20": ["claude-3-haiku-20240307"],
      "2026-06-15": ["claude-opus-4-0", "claude-opus-4-20250514", "claude-sonnet-4-0", "claude-sonnet-4-20250514"],
      "2026-08-05": ["claude-opus-4-1", "claude-opus-4-1-20250805"],
      "2026-11-30": ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929"],
      "2027-01-22": ["claude-opus-4-5", "claude-opus-4-5-20251101"],
    }),
    // Cohere's page "Deprecations".
    ...all("cohere:", { "2025-04-30": ["rerank-english-v2.0", "rerank-multilingual-v2.0"] }),
  },
};

function all(scheme: string, byDay: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(byDay).flatMap(([day, models]) => models.map((model) => [`${scheme}${model}`, day])));
}
