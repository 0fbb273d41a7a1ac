/** What a service said when it was asked whether it is there. */
export interface ServiceCheck {
  /** Of the server or the API, as it names itself; null where it does not say. */
  readonly version: string | null;
  /** What else is worth knowing, such as `database support, 3 published indexes`. */
  readonly detail?: string;
  /** Of a model, where the provider tells. */
  readonly lifecycle?: { readonly state: "active" | "legacy"; readonly endOfLife: string | null };
}

/** A service that can be asked whether it is there and lets us in. */
export interface Checkable {
  /**
   * One attempt that spends no model call and changes nothing. Fails as the service's other calls do, so that what is wrong
   * and what to do about it is said once; an aborted signal ends it with the signal's reason.
   */
  check(signal?: AbortSignal): Promise<ServiceCheck>;
}
