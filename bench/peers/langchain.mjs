/** Indexes a folder with LangChain's defaults, in memory: `node langchain.mjs <folder> <base URL>`. Nothing is persisted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { OpenAIEmbeddings } from "@langchain/openai";
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";

const [folder, baseURL] = process.argv.slice(2);
const documents = readdirSync(folder).map((name) => new Document({ pageContent: readFileSync(join(folder, name), "utf8"), metadata: { source: name } }));
const chunks = await new RecursiveCharacterTextSplitter().splitDocuments(documents);
const embeddings = new OpenAIEmbeddings({ apiKey: "unused", model: "mock", configuration: { baseURL } });
const store = await MemoryVectorStore.fromDocuments(chunks, embeddings);
process.stdout.write(`${store.memoryVectors.length}\n`);
