import { openDatabase } from "../../../src/adapters/state/database.ts";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";

/** A process that asks the database one question and prints the answer: `client.ts <url> <sql>`; `prepare` makes the queue's tables. */
const [, , url = "", text = ""] = process.argv;
if (text === "prepare") {
  const queue = await openQueue(url, "/");
  process.stdout.write(JSON.stringify((await queue.status("nobody")) ?? null));
  await queue.close();
} else {
  const { pool } = await openDatabase(url, "/");
  process.stdout.write(JSON.stringify((await pool.query(text)).rows));
  await pool.end();
}
