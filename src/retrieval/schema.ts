import { z } from "zod";
import type { Metadata } from "../ports/document.ts";

export const SearchMode = z.enum(["vector", "text", "hybrid"]);
export type SearchMode = z.infer<typeof SearchMode>;

export interface RetrievedChunk {
  /** The number that a citation such as [1] names, from 1. */
  readonly number: number;
  readonly id: string;
  readonly document: string;
  readonly headings: string;
  readonly text: string;
  readonly metadata: Metadata;
  readonly score: number;
}
