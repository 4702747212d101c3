import type { SecretText } from './secret-text.ts';

/** What the operator's configuration says about registries. All files it names have been read; a changed one gives new settings. */
export interface RegistrySettings {
  /** In the order of the configuration: the first whose pattern matches a registry's host counts, alone. */
  readonly hosts: readonly RegistryHostSettings[];
  /** Other names of a registry (pull-through, split horizon), lower case → the name it is known by. For matching only. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Globs over hosts with port; empty means all. Checked before any name is resolved. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** PEM, beside the roots of the system, for every registry. */
  readonly caCertificates: readonly string[];
  /** Ask an Artifactory that answers 404 by its repository-path method too. */
  readonly artifactoryFallback: boolean;
  /** Programs that give credentials, by the kubelet's protocol; empty for none. */
  readonly credentialProviders: readonly CredentialProviderSettings[];
  /** May cloud identities (AWS, Google, Azure) of the operator be used for the registries of these clouds? */
  readonly cloudIdentities: boolean;
  /** May those of the workloads' ServiceAccounts be used, before the operator's? Needs the right to create `serviceaccounts/token`; default no. */
  readonly workloadIdentities?: boolean;
}

export interface RegistryHostSettings {
  /** Case-sensitive glob over the whole name with its port; `*` matches dots too. */
  readonly hostnamePattern: string;
  /** Counts for repositories that begin so only. */
  readonly repositoryPrefix?: string;
  readonly credential: OperatorCredential;
  /** Plain HTTP. */
  readonly insecure: boolean;
  /** Private and loopback addresses are allowed for its redirects and token endpoint too. */
  readonly allowPrivate: boolean;
  readonly tls?: RegistryTlsSettings;
  /** URL of a proxy, `false` for none whatever the environment says. */
  readonly proxy?: { readonly url: string; readonly login?: SecretText } | false;
  /** Asked first, in order; without credentials of the registry. */
  readonly mirrors: readonly { readonly url: string; readonly sendsNamespace: boolean }[];
  readonly limits: { readonly concurrent?: number; readonly requestsPerSecond?: number; readonly burst?: number };
}

export interface RegistryTlsSettings {
  /** PEM. */
  readonly caCertificates: readonly string[];
  readonly clientCertificate?: string;
  readonly clientKey?: SecretText;
  readonly serverName?: string;
  readonly skipVerify: boolean;
}

/** `source` names file or setting, never a content. */
export type OperatorCredential =
  /** No header at all. */
  | { readonly kind: 'none' }
  /** Content of a docker config (`.dockerconfigjson`, or with `legacy` `.dockercfg`), matched by the kubelet's rule. */
  | { readonly kind: 'docker-config'; readonly source: string; readonly text: SecretText; readonly legacy: boolean }
  | { readonly kind: 'login'; readonly source: string; readonly username: string; readonly password: SecretText }
  | { readonly kind: 'bearer'; readonly source: string; readonly token: SecretText };

/** One entry of a `CredentialProviderConfig` (`kubelet.config.k8s.io/v1`). */
export interface CredentialProviderSettings {
  readonly name: string;
  /** Absolute path of the program. */
  readonly path: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly tokenAttributes?: {
    readonly serviceAccountTokenAudience: string;
    readonly cacheType: 'ServiceAccount' | 'Token';
    readonly requireServiceAccount: boolean;
    readonly requiredServiceAccountAnnotationKeys: readonly string[];
    readonly optionalServiceAccountAnnotationKeys: readonly string[];
  };
}

export const noRegistrySettings: RegistrySettings = {
  hosts: [],
  aliases: {},
  allowed: [],
  denied: [],
  caCertificates: [],
  artifactoryFallback: true,
  credentialProviders: [],
  cloudIdentities: true,
};
