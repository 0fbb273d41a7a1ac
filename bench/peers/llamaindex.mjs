/** Indexes a folder with LlamaIndex's defaults, in memory: `node llamaindex.mjs <folder> <base URL>`. Nothing is persisted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OpenAIEmbedding } from "@llamaindex/openai";
import { Document, Settings, VectorStoreIndex } from "llamaindex";

const [folder, baseURL] = process.argv.slice(2);
Settings.embedModel = new OpenAIEmbedding({ apiKey: "unused", model: "text-embedding-3-small", baseURL });
const documents = readdirSync(folder).map((name) => new Document({ text: readFileSync(join(folder, name), "utf8"), id_: name }));
await VectorStoreIndex.fromDocuments(documents);
process.stdout.write(`${documents.length}\n`);
