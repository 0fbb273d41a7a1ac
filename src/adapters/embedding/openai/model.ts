export interface KnownModel {
  readonly dimensions: number;
  /** Whether a shorter vector can be asked for. */
  readonly isShortenable: boolean;
}

export const openaiModels: Readonly<Record<string, KnownModel>> = {
  "text-embedding-3-small": { dimensions: 1536, isShortenable: true },
  "text-embedding-3-large": { dimensions: 3072, isShortenable: true },
  "text-embedding-ada-002": { dimensions: 1536, isShortenable: false },
};

export const modelLimits = {
  /** OpenAI's own. */
  openai: { maxBatch: 2048, maxBatchTokens: 300_000, maxTextTokens: 8191 },
  /** Nobody says what another model or server takes; this much has kept the common ones within their memory. */
  compatible: { maxBatch: 256, maxBatchTokens: 100_000 },
} as const;
