/** What cloud identities and credential programs need of the machine and the cluster they run in. */
export interface IdentityWorld {
  /** The environment of the process, as the cloud's webhooks fill it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file that the environment names: a token, which rotates. */
  readonly readFile: (path: string) => Promise<string>;
  /** Missing where identities of ServiceAccounts cannot be had. */
  readonly serviceAccounts?: ServiceAccountIdentities | undefined;
}

export interface AccountRef {
  readonly namespace: string;
  readonly name: string;
}

/** Identities of ServiceAccounts, by the API server. Both throw ApiError. */
export interface ServiceAccountIdentities {
  read(account: AccountRef, signal: AbortSignal): Promise<{ readonly uid: string; readonly annotations: Readonly<Record<string, string>> }>;
  /** A token of the account for this audience, with some time left. */
  token(account: AccountRef, audience: string, signal: AbortSignal): Promise<{ readonly token: string }>;
}

/** Why an identity cannot be had: the end of a sentence, without secrets. */
export class NoIdentity extends Error {
  override readonly name = 'NoIdentity';
  /** Nothing says that there should be one. */
  readonly isExpected: boolean;

  constructor(message: string, options: { readonly isExpected?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.isExpected = options.isExpected === true;
  }
}

/** Whose identity: the operator's own, or that of a workload's ServiceAccount. */
export type Holder = 'operator' | AccountRef;

/** `the operator`, `ServiceAccount team/web`: for messages. */
export function nameOfHolder(holder: Holder): string {
  return holder === 'operator' ? 'the operator' : `ServiceAccount ${holder.namespace}/${holder.name}`;
}

/** An annotation of the account that says which identity of the cloud it has. */
export async function annotationOf(
  { serviceAccounts }: IdentityWorld,
  account: AccountRef,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { annotations } = await accountsOf(serviceAccounts).read(account, signal);
  return Object.hasOwn(annotations, name) ? annotations[name] : undefined;
}

/** A token of the account for the audience. */
export async function accountToken(
  { serviceAccounts }: IdentityWorld,
  account: AccountRef,
  audience: string,
  signal: AbortSignal,
): Promise<string> {
  return (await accountsOf(serviceAccounts).token(account, audience, signal)).token;
}

/** The text of a token file. */
export async function tokenFile({ readFile }: IdentityWorld, path: string): Promise<string> {
  const text = (await readFile(path)).trim();
  if (text === '') throw new NoIdentity(`the file ${path} is empty`);
  return text;
}

function accountsOf(accounts: ServiceAccountIdentities | undefined): ServiceAccountIdentities {
  if (!accounts) throw new NoIdentity('tokens of ServiceAccounts cannot be had here', { isExpected: true });
  return accounts;
}
