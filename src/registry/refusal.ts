import type { RegistryError } from '../errors.ts';
import { type Call, callFailure } from './call.ts';

/** Why a credential did not lead to an answer. */
export interface Refusal {
  readonly source: string;
  readonly why: keyof typeof explanations;
  readonly httpStatus?: number | undefined;
  /** Of one that could not be had: why. Holds nothing secret. */
  readonly detail?: string | undefined;
  /** Nobody asked for this credential by name: that there is none is no news. */
  readonly isExpected?: boolean | undefined;
}

const explanations = {
  login: 'the login was refused',
  scope: 'the login works but gives no right to pull this repository',
  denied: 'access was denied',
  challenge: 'it cannot be used with the kind of login that the registry asks for',
  unavailable: 'it could not be had',
  resting: 'it was refused a short while ago and rests, so that the account is not locked',
} as const;

/** Where there was no login, none was refused. */
const withoutLogin: Partial<Record<Refusal['why'], string>> = {
  login: 'a login is asked for',
  challenge: 'a login is asked for',
  scope: 'without a login this repository may not be pulled',
};

/** The error when the last credential was refused; names every source that was tried. */
export function refusalFailure(call: Call, refusals: readonly Refusal[]): RegistryError {
  const tried = refusals.map(({ source, why, httpStatus, detail }) => {
    const more = [detail === undefined ? '' : `: ${detail}`, httpStatus === undefined ? '' : `, HTTP ${httpStatus}`].join('');
    const explanation = source === 'anonymous' ? withoutLogin[why] : undefined;
    return `${source} (${explanation ?? explanations[why]}${more})`;
  });
  const denied = refusals.find(({ why }) => why === 'denied');
  const { registry } = call.endpoint;
  const advice = refusals.some(({ source, isExpected }) => source !== 'anonymous' && isExpected !== true)
    ? 'Check that the credential is valid and may pull this repository'
    : `If the repository is private, add a pull secret with an entry for ${registry}`;
  return callFailure(call, denied ? 'Denied' : 'Unauthorized', `${registry} accepted no credential; tried ${tried.join(', ')}. ${advice}`, {
    httpStatus: (denied ?? refusals.find(({ httpStatus }) => httpStatus !== undefined))?.httpStatus,
    source: refusals.map(({ source }) => source).join(', '),
  });
}
