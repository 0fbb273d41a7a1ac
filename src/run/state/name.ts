import { digestOf, hexOf } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";

interface Owner {
  readonly app: string;
  readonly environment: string;
}

const longestName = 200;

/**
 * The user name under which a state service keeps what belongs to one user of an application in an environment. Several may share one service
 * and never meet: names of applications and environments have no slash, so the parts can be told apart. What no service takes as a name, for
 * its length or its characters, has a hash instead. Fails with SESSION_INVALID for half a surrogate pair, which hashes cannot tell apart.
 */
export function ownerName(kind: "session" | "answer", { app, environment }: Owner, user: string): string {
  if (!user.isWellFormed()) throw new TwelveError("SESSION_INVALID", "The name of the user holds half a surrogate pair");
  const name = `${kind}/${app}/${environment}/${user}`;
  return name.length <= longestName && !/\p{Cc}/u.test(name) ? name : `${kind}/#${hexOf(digestOf(name))}`;
}
