import { createInterface } from "node:readline";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";

/**
 * A process of its own that works on the store named by its argument. Each line on stdin is one operation as JSON;
 * each answer is one line of JSON on stdout.
 */
const store = openStore(process.argv[2] ?? "", "/");
const tell = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

async function act([operation, name = "", value = "", tag = ""]: readonly string[]): Promise<unknown> {
  if (operation === "create") return store.refs.create(name, value);
  if (operation === "replace") return store.refs.replace(name, value, tag);
  if (operation === "write") return store.blobs.write(Buffer.from(name), "text/plain");
  throw new Error(`No operation ${operation}`);
}

tell("ready");
for await (const line of createInterface({ input: process.stdin })) {
  try {
    tell(await act(JSON.parse(line) as readonly string[]));
  } catch (error) {
    tell({ code: (error as { readonly code?: string }).code, message: String(error) });
  }
}
