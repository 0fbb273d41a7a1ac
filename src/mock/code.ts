/** The ways in which a service can fail, and whether the same call may succeed later. */
const mayPass = {
  SERVICE_UNAUTHENTICATED: false,
  SERVICE_DENIED: false,
  SERVICE_NOT_FOUND: false,
  SERVICE_LIMITED: true,
  SERVICE_QUOTA: false,
  SERVICE_REJECTED: false,
  SERVICE_FILTERED: false,
  SERVICE_TIMEOUT: true,
  SERVICE_UNAVAILABLE: true,
  SERVICE_CUT: true,
  SERVICE_FAILED: false,
} as const;
export type ScriptedCode = keyof typeof mayPass;
export const scriptedCodes = Object.keys(mayPass) as readonly ScriptedCode[];

export function isPassing(code: ScriptedCode): boolean {
  return mayPass[code];
}
