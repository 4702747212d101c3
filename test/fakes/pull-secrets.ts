import type { Problem, PullContext, PullSecret, PullSecrets } from '../../src/ports.ts';

/** Pull secrets in memory: `namespace/name` → password. One that is missing is a problem in the answer. */
export class FakePullSecrets implements PullSecrets {
  readonly #passwords: Map<string, string>;

  constructor(passwords: Readonly<Record<string, string>> = {}) {
    this.#passwords = new Map(Object.entries(passwords));
  }

  set(name: string, password: string | undefined): void {
    if (password === undefined) this.#passwords.delete(name);
    else this.#passwords.set(name, password);
  }

  async of({ namespace, pullSecretNames }: PullContext): Promise<{ secrets: readonly PullSecret[]; problems: readonly Problem[] }> {
    const secrets: PullSecret[] = [];
    const problems: Problem[] = [];
    for (const name of pullSecretNames) {
      const password = this.#passwords.get(`${namespace}/${name}`);
      if (password === undefined) problems.push({ reason: 'PullSecretMissing', message: `Secret ${namespace}/${name} does not exist` });
      else secrets.push({ namespace, name, type: 'kubernetes.io/dockerconfigjson', data: { password } });
    }
    return { secrets, problems };
  }
}
