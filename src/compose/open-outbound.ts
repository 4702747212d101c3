import type { Config } from '../config.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import { createOutbound, type Outbound } from '../outbound.ts';
import { authoritiesOf } from '../registry/transport.ts';

export interface OutboundPlace {
  readonly version: string;
  readonly proxy: Config['proxy'];
  /** Nobody may be led to these: the API server's. */
  readonly blockedOrigins: readonly string[];
  /** Read for each request: its authorities count for clouds and token services as for registries. */
  readonly registries: () => RegistrySettings;
}

/** The client for everything outside the cluster, as the operator and each command that asks registries has it. */
export function openOutbound({ version, proxy, blockedOrigins, registries }: OutboundPlace): Outbound {
  return createOutbound({ userAgent: `headwind/${version}`, proxy, blockedOrigins, authorities: () => authoritiesOf(registries()) });
}
