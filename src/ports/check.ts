/** What a service said when it was asked whether it is there. */
export interface ServiceCheck {
  /** Of the server or the API, as it names itself; null where it does not say. */
  readonly version: string | null;
  /** What else is worth knowing, such as `database support, 3 published indexes`. */
  readonly detail?: string;
  /** Of a model, where the provider tells. */
  readonly lifecycle?: ModelLifecycle;
  /** Of a model whose server answers without telling whether it has the model; `detail` says why. */
  readonly isModelUnknown?: true;
}

export interface ModelLifecycle {
  readonly state: "active" | "legacy";
  /** Such as 2027-01-31; null where the provider has announced none. */
  readonly endOfLife: string | null;
}

/** A service that can be asked whether it is there and lets us in. */
export interface Checkable {
  /**
   * One attempt that changes nothing, and spends no model call unless `isCheckPaid`. Fails as the service's other calls do, so
   * that what is wrong and what to do about it is said once; an aborted signal ends it with the signal's reason.
   */
  check(signal?: AbortSignal): Promise<ServiceCheck>;
  /** `check` may be a call that is paid for, since nothing free shows that the service works. Whoever checks again and again does it seldom. */
  readonly isCheckPaid?: true;
  /**
   * Where the provider tells a model's life in another place than the one that `check` asks, often with another permission.
   * Undefined where it cannot be found out, which is no failure of the model.
   */
  lifecycle?(signal?: AbortSignal): Promise<ModelLifecycle | undefined>;
}
