import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, digestPrefix, hexOf, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Store } from "../ports/store.ts";
import { type Activation, activationKind, type EnvironmentPointer, environmentPointerKind, type Release, releaseKind, type ReleasePointer, releasePointerKind } from "./schema.ts";

/** A release number and what it stands for. */
export interface NumberedRelease extends Omit<ReleasePointer, "release"> {
  readonly number: number;
  readonly releaseDescriptor: Descriptor;
}

export interface FoundRelease extends NumberedRelease {
  readonly release: Release;
}

export interface RecordedActivation {
  readonly activation: Activation;
  readonly activationDescriptor: Descriptor;
}

export interface ActiveRelease extends RecordedActivation {
  readonly number: number;
  readonly release: Release;
  readonly releaseDescriptor: Descriptor;
}

/** The release that `v3`, or the beginning of a digest, names. Fails with RELEASE_NOT_FOUND, naming those that exist. */
export async function readRelease(store: Store, app: string, wanted: string): Promise<FoundRelease> {
  const found = await findRelease(store, app, wanted);
  return { ...found, release: await readDocument(store, releaseKind, found.releaseDescriptor) };
}

/** The release that is current in an environment. Fails with RELEASE_NOT_ACTIVE. */
export async function readActive(store: Store, app: string, environment: string): Promise<ActiveRelease> {
  const active = await readActiveOrNone(store, app, environment);
  if (active !== undefined) return active;
  throw await notActive(store, app, environment);
}

/** Says where there is a release instead. */
export async function notActive(store: Store, app: string, environment: string): Promise<TwelveError> {
  const others = await listEnvironments(store, app);
  return new TwelveError("RELEASE_NOT_ACTIVE", `${app} has no active release in ${environment}.${didYouMean(environment, others)} ${others.length === 0 ? "Nothing was released yet" : `There is one in ${others.join(", ")}`}`, {
    fix: `Run \`twelve release --env ${environment}\`${others[0] === undefined ? "" : ` or \`twelve promote ${others[0]} ${environment}\``}`,
  });
}

export async function readActiveOrNone(store: Store, app: string, environment: string): Promise<ActiveRelease | undefined> {
  const current = await readCurrent(store, app, environment);
  if (current === undefined) return undefined;
  const { number, release: releaseDescriptor } = current.activation;
  return { ...current, number, releaseDescriptor, release: await readDocument(store, releaseKind, releaseDescriptor) };
}

/** The newest activation of an environment, with the tag that a compare-and-swap needs; undefined before the first. */
export async function readCurrent(store: Store, app: string, environment: string): Promise<(RecordedActivation & { readonly tag: string }) | undefined> {
  const pointer = await readEnvironment(store, app, environment);
  if (pointer === undefined) return undefined;
  const activationDescriptor = pointer.value.activation;
  return { activation: await readDocument(store, activationKind, activationDescriptor), activationDescriptor, tag: pointer.tag };
}

/** All activations of an environment, newest first. */
export async function readHistory(store: Store, app: string, environment: string): Promise<readonly RecordedActivation[]> {
  const history: RecordedActivation[] = [];
  let next = (await readEnvironment(store, app, environment))?.value.activation ?? null;
  while (next !== null) {
    const activation: Activation = await readDocument(store, activationKind, next);
    history.push({ activation, activationDescriptor: next });
    next = activation.previous;
  }
  return history;
}

/** Numbers of all releases, in order. Cheap: no release is read. */
export async function listNumbers(store: Store, app: string): Promise<readonly number[]> {
  const prefix = refs.releases(app);
  return (await store.refs.list(prefix)).map((name) => Number(name.slice(prefix.length)));
}

/** All releases, or so many of the newest, in order of their numbers, without their documents. */
export async function listReleases(store: Store, app: string, newest = Number.POSITIVE_INFINITY): Promise<readonly NumberedRelease[]> {
  const found = await Promise.all((await listNumbers(store, app)).slice(-newest).map((number) => readNumber(store, app, number)));
  return found.filter((release) => release !== undefined);
}

/** Names of all environments that ever had a release. */
export async function listEnvironments(store: Store, app: string): Promise<readonly string[]> {
  const prefix = refs.environments(app);
  return (await store.refs.list(prefix)).map((name) => name.slice(prefix.length));
}

/** Each environment that ever had a release, with the number of the one that is active there now. */
export async function listActive(store: Store, app: string): Promise<readonly { readonly environment: string; readonly number: number | undefined }[]> {
  const environments = await listEnvironments(store, app);
  return Promise.all(environments.map(async (environment) => ({ environment, number: (await readCurrent(store, app, environment))?.activation.number })));
}

async function readEnvironment(store: Store, app: string, environment: string): Promise<{ readonly value: EnvironmentPointer; readonly tag: string } | undefined> {
  // A slip such as `--env a/b` names no ref at all; the store would take it for a bug of ours.
  const isName = /^[a-z0-9][a-z0-9-]*$/.test(environment);
  return isName ? readPointer(store, environmentPointerKind, refs.environment(app, environment)) : undefined;
}

async function readNumber(store: Store, app: string, number: number): Promise<NumberedRelease | undefined> {
  const pointer = await readPointer(store, releasePointerKind, refs.release(app, number));
  if (pointer === undefined) return undefined;
  const { release: releaseDescriptor, ...others } = pointer.value;
  return { number, releaseDescriptor, ...others };
}

async function findRelease(store: Store, app: string, wanted: string): Promise<NumberedRelease> {
  const number = /^v([1-9]\d{0,7})$/.exec(wanted)?.[1];
  if (number !== undefined) {
    const release = await readNumber(store, app, Number(number));
    if (release !== undefined) return release;
  }
  const all = await listReleases(store, app);
  const prefix = digestPrefix(wanted);
  const matches = prefix === undefined ? [] : all.filter(({ releaseDescriptor }) => hexOf(releaseDescriptor.digest).startsWith(prefix));
  const digests = new Set(matches.map(({ releaseDescriptor }) => releaseDescriptor.digest));
  // One release may have several numbers: releasing again without a change gives the same digest a new one.
  const newest = matches.at(-1);
  if (newest !== undefined && digests.size === 1) return newest;
  const what = digests.size > 1 ? `${wanted} names ${digests.size} releases: ${name(matches)}` : `${app} has no release ${wanted}; ${all.length === 0 ? "nothing was released yet" : `there ${all.length === 1 ? "is" : "are"} ${name(all)}`}`;
  throw new TwelveError("RELEASE_NOT_FOUND", what, all.length === 0 ? { fix: "Run `twelve release --env <name>`" } : {});
}

function name(releases: readonly NumberedRelease[]): string {
  const shown = releases.slice(-10).map(({ number, releaseDescriptor }) => `v${number} (${shortDigest(releaseDescriptor.digest)})`);
  return `${releases.length > shown.length ? "…, " : ""}${shown.join(", ")}`;
}
