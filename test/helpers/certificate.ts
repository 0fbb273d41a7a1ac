import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { isInstalled } from "./program.ts";

const run = promisify(execFile);

/** Why tests that need a certificate are skipped; with TWELVE_REQUIRE_SERVICES=1 they fail instead. */
export const withoutOpenssl = !isInstalled("openssl") && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

/** Files in PEM. */
export interface Certificate {
  /** Of the authority that vouches for the certificate, and that no machine trusts by itself. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for `localhost`, and for no other name or address, that is good for a day. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const made = async (name: string, options: readonly string[]): Promise<readonly [certificate: string, key: string]> => {
    const files = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)] as const;
    await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", `/CN=twelve test ${name}`, "-out", files[0], "-keyout", files[1], ...options]);
    return files;
  };
  const [authority, authorityKey] = await made("authority", []);
  const [certificate, key] = await made("server", ["-CA", authority, "-CAkey", authorityKey, "-addext", "subjectAltName=DNS:localhost"]);
  return { authority, certificate, key };
}
