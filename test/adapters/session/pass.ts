import { openDatabase } from "../../../src/adapters/state/database.ts";
import type { SessionKey } from "../../../src/ports/session.ts";

/** Sets back what the database keeps of a session, as if it had been written earlier. */
export async function passInDatabase(url: string, dir: string, { user, session }: SessionKey, seconds: number): Promise<void> {
  const { pool } = await openDatabase(url, dir);
  await pool.query("UPDATE twelve_session.session SET expires_at = expires_at - $3 * interval '1 second' WHERE user_name = $1 AND name = $2", [user, session, seconds]);
  await pool.end();
}
