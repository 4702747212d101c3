import {
  noRegistrySettings,
  type OperatorCredential,
  type RegistryHostSettings,
  type RegistrySettings,
  type RegistryTlsSettings,
} from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';
import { type Checked, readCertificates, readClientIdentity, readDockerConfig, type ReadFile } from './checked-files.ts';
import { readCredentialProviders } from './credential-provider-file.ts';
import type { MergedValues } from './merge-layers.ts';
import { formatPath, type Path } from './read-values.ts';
import type { RegistryEntry } from './registry-schema.ts';

export interface RegistrySettingsResult {
  readonly settings: RegistrySettings;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

/** The registries section with the files that it names, read and checked; `settings` is to be used only when there is no mistake. */
export async function registrySettingsOf(
  merged: MergedValues,
  read: ReadFile,
  systemRoots: readonly string[],
): Promise<RegistrySettingsResult> {
  const section = new Section(merged, read);
  const { values } = merged;
  const hosts = (values.registries ?? []).map((entry, index) => section.host(entry, ['registries', index]));
  section.warnOfUnreachable(values.registries ?? []);
  const caCertificates = [...systemRoots, ...section.certificates(values.tls?.caCertificatePaths, ['tls', 'caCertificatePaths'])];
  const settings: RegistrySettings = {
    hosts,
    aliases: Object.fromEntries(Object.entries(values.registryAliases ?? {}).map(([other, name]) => [other.toLowerCase(), name])),
    allowed: values.allowedRegistries ?? [],
    denied: values.deniedRegistries ?? [],
    caCertificates,
    // Whoever writes a configuration gets what it meant to kube-autorollout; without one, everything is tried.
    artifactoryFallback:
      values.featureFlags?.enableJfrogArtifactoryFallback ?? (merged.hasDocument ? false : noRegistrySettings.artifactoryFallback),
    credentialProviders: await section.providers(),
    cloudIdentities: values.cloudIdentities ?? noRegistrySettings.cloudIdentities,
    ...(values.workloadIdentities === true && { workloadIdentities: true }),
  };
  return { settings, mistakes: section.mistakes, warnings: section.warnings };
}

class Section {
  readonly mistakes: string[] = [];
  readonly warnings: string[] = [];
  readonly #merged: MergedValues;
  readonly #read: ReadFile;

  constructor(merged: MergedValues, read: ReadFile) {
    this.#merged = merged;
    this.#read = read;
  }

  host(entry: RegistryEntry, path: Path): RegistryHostSettings {
    const tls = this.#tls(entry, path);
    const proxy = this.#proxy(entry);
    return {
      hostnamePattern: entry.hostnamePattern,
      ...(entry.repositoryPrefix !== undefined && { repositoryPrefix: entry.repositoryPrefix }),
      credential: this.#credential(entry.secret, [...path, 'secret']),
      insecure: entry.insecure ?? false,
      allowPrivate: entry.allowPrivate ?? false,
      ...(tls && { tls }),
      ...(proxy !== undefined && { proxy }),
      mirrors: (entry.mirrors ?? []).map((mirror) =>
        typeof mirror === 'string'
          ? { url: mirror, sendsNamespace: false }
          : { url: mirror.url, sendsNamespace: mirror.sendsNamespace ?? false },
      ),
      limits: withoutUndefined(entry.limits ?? {}),
    };
  }

  /** Entries that no registry can reach: they are no mistake, as old files have them, but a credential there is never used. */
  warnOfUnreachable(entries: readonly RegistryEntry[]): void {
    const all = entries.findIndex(({ hostnamePattern, repositoryPrefix }) => hostnamePattern === '*' && repositoryPrefix === undefined);
    for (const [index, { hostnamePattern }] of entries.entries()) {
      const at = this.#at(['registries', index, 'hostnamePattern']);
      if (hostnamePattern.includes('/')) {
        this.warnings.push(`${at}: "${hostnamePattern}" matches no registry: write its name only, without https:// and path`);
      } else if (all !== -1 && index > all) {
        this.warnings.push(`${at}: "${hostnamePattern}" is never reached, as registries[${all}] ("*") matches before; put it first`);
      }
    }
  }

  certificates(paths: readonly string[] | undefined, at: Path): readonly string[] {
    return (paths ?? []).flatMap((path, index) => this.#checked(readCertificates(path, this.#read), [...at, index]) ?? []);
  }

  async providers(): Promise<RegistrySettings['credentialProviders']> {
    const { credentialProviders } = this.#merged.values;
    if (credentialProviders === undefined) return [];
    const { configPath, directory } = credentialProviders;
    return this.#checked(await readCredentialProviders(configPath, directory, this.#read), ['credentialProviders', 'configPath']) ?? [];
  }

  #credential(secret: RegistryEntry['secret'], path: Path): OperatorCredential {
    const { type, mountPath } = secret;
    const [username = '', token] = [secret.username, secret.token].map(withoutLineBreak);
    this.#warnOfUseless(secret, path);
    const source = `${formatPath(path.slice(0, -1))} of the configuration`;
    if (type === 'None') return { kind: 'none' };
    if (type === 'ImagePullSecret') {
      if (mountPath === undefined) return this.#missing([...path, 'mountPath'], 'the folder into which the Secret is mounted');
      const found = this.#checked(readDockerConfig(mountPath, this.#read), [...path, 'mountPath']);
      return found ? { kind: 'docker-config', source: found.path, text: found.text, legacy: found.legacy } : { kind: 'none' };
    }
    if (token === undefined)
      return this.#missing([...path, 'token'], 'the token, for example as "${MY_TOKEN}" from an environment variable');
    if (token === '') {
      this.warnings.push(`${this.#at([...path, 'token'])} is empty: this registry is asked without a credential`);
      return { kind: 'none' };
    }
    const password = new SecretText(token);
    return username === '' ? { kind: 'bearer', source, token: password } : { kind: 'login', source, username, password };
  }

  #warnOfUseless({ type, mountPath, username, token }: RegistryEntry['secret'], path: Path): void {
    const useless = {
      mountPath: mountPath !== undefined && type !== 'ImagePullSecret',
      username: username !== undefined && type !== 'Opaque',
      token: token !== undefined && type !== 'Opaque',
    };
    for (const [name, isUseless] of Object.entries(useless)) {
      if (isUseless) this.warnings.push(`${this.#at([...path, name])} has no effect with type ${type}`);
    }
  }

  #tls(entry: RegistryEntry, path: Path): RegistryTlsSettings | undefined {
    const { caCertificatePaths, clientCertificatePath, clientKeyPath, serverName, insecureSkipVerify = false } = entry;
    if ((clientCertificatePath === undefined) !== (clientKeyPath === undefined)) {
      const [missing, why] = clientKeyPath === undefined ? ['clientKeyPath', 'the key'] : ['clientCertificatePath', 'the certificate'];
      this.#missing([...path, missing], `${why} too, or neither`);
    }
    if (insecureSkipVerify)
      this.warnings.push(`${this.#at([...path, 'insecureSkipVerify'])}: the certificates of ${entry.hostnamePattern} are NOT CHECKED`);
    const caCertificates = this.certificates(caCertificatePaths, [...path, 'caCertificatePaths']);
    const identity =
      clientCertificatePath === undefined || clientKeyPath === undefined
        ? undefined
        : this.#checked(readClientIdentity(clientCertificatePath, clientKeyPath, this.#read), [...path, 'clientCertificatePath']);
    if (caCertificates.length === 0 && !identity && serverName === undefined && !insecureSkipVerify) return undefined;
    return {
      caCertificates,
      ...(identity && { clientCertificate: identity.certificate, clientKey: identity.key }),
      ...(serverName !== undefined && { serverName }),
      skipVerify: insecureSkipVerify,
    };
  }

  #proxy({ proxy }: RegistryEntry): RegistryHostSettings['proxy'] {
    if (proxy === undefined || proxy === false) return proxy;
    const { url, username = '', password = '' } = proxy;
    return { url, ...(username + password !== '' && { login: new SecretText(`${username}:${password}`) }) };
  }

  #checked<Value>(checked: Checked<Value>, path: Path): Value | undefined {
    if ('value' in checked) return checked.value;
    this.mistakes.push(`${this.#at(path)}: ${checked.problem}`);
    return undefined;
  }

  #missing(path: Path, form: string): OperatorCredential {
    this.mistakes.push(`${this.#at(path)} is missing; write ${form}`);
    return { kind: 'none' };
  }

  /** `/etc/headwind/config.yaml line 7: registries[1].secret.token` */
  #at(path: Path): string {
    return `${this.#merged.where(path)}: ${formatPath(path)}`;
  }
}

/** Variables that come from files and Secrets end with one more often than not. */
function withoutLineBreak(text: string | undefined): string | undefined {
  return text?.replace(/[\r\n]+$/, '');
}

function withoutUndefined(limits: NonNullable<RegistryEntry['limits']>): RegistryHostSettings['limits'] {
  const { concurrent, requestsPerSecond, burst } = limits;
  return {
    ...(concurrent !== undefined && { concurrent }),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    ...(burst !== undefined && { burst }),
  };
}
