import { loadClusterAccess } from '../kubernetes/kubeconfig.ts';

/** The namespace that kubectl would take: that of the kubeconfig's context, else `default`. Asks nobody. */
export async function contextNamespace(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const access = await loadClusterAccess({ environment }).catch(() => undefined);
  return access?.namespace ?? 'default';
}
