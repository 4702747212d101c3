import type { BudgetState } from './budget.ts';
import { endpointOf } from './endpoint.ts';
import type { Transports } from './transport.ts';

/** How it stands with a registry, for people. */
export interface BudgetReport extends BudgetState {
  /** Its one name. */
  readonly registry: string;
  /** Where its API is. */
  readonly origin: string;
}

interface ReportDeps {
  readonly transports: Transports;
  readonly stateOf: (origin: string) => BudgetState | undefined;
}

/** What is left of a registry's limits; undefined when it was not asked so far, or must not be. */
export function createBudgetReport({ transports, stateOf }: ReportDeps): (registry: string) => BudgetReport | undefined {
  return (registry) => {
    // The endpoint does not depend on the repository, except where an entry of the configuration has a prefix.
    const endpoint = endpointOf({ registry, repository: 'any/repository' }, transports);
    const state = 'origin' in endpoint ? stateOf(endpoint.origin) : undefined;
    return 'origin' in endpoint && state ? { registry: endpoint.registry, origin: endpoint.origin, ...state } : undefined;
  };
}
