import type { ServiceCheck } from "./check.ts";

/** A place outside the process that holds an environment's configuration, such as a `.env` file. */
export interface ConfigProvider {
  /** Where it is, for messages and provenance, such as `dotenv:.env`. */
  readonly reference: string;
  /** All values it holds. A source that does not exist holds none. Fails with CONFIG_INVALID or SERVICE_FAILED. */
  read(): Promise<Readonly<Record<string, string>>>;
  /** As `Checkable` says; for places that are services. */
  check?(signal?: AbortSignal): Promise<ServiceCheck>;
}
