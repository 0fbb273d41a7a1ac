import type { ServiceCheck } from "./check.ts";

/** A value of configuration with the place it was read from. */
export interface SourcedText {
  readonly text: string;
  /** Such as `dotenv:.env`; with the version where the place keeps versions, such as `ssm:/support/production/CHAT_MODEL@3`. */
  readonly source: string;
}

export interface ConfigReading {
  readonly values: Readonly<Record<string, SourcedText>>;
  /** Names that it holds and that give no key, such as `db/PASSWORD` and what is a list: worth a word to somebody who misses a key. */
  readonly ignored: readonly string[];
}

/** A place outside the process that holds an environment's configuration, such as a `.env` file. No value is ever in a message. */
export interface ConfigProvider {
  /** Where it is, for messages, such as `dotenv:.env`. */
  readonly reference: string;
  /**
   * All values it holds now. A file that does not exist holds none; a remote place that does not exist, or is empty, is more
   * likely a slip in name, region or account, and fails with CONFIG_INVALID. Fails with CONFIG_INVALID or SERVICE_* otherwise.
   */
  read(): Promise<ConfigReading>;
  /**
   * For places that keep versions: the values exactly as earlier readings named them, by key; sources of another place are left out.
   * Fails with CONFIG_INVALID for a version that is gone, and as `read` does.
   */
  readVersions?(sources: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
  /** As `Checkable` says; for places that are services. */
  check?(signal?: AbortSignal): Promise<ServiceCheck>;
}
