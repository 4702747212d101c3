import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterAccess } from '../cluster/access.ts';

/**
 * What the kubelet would give the operator of an installed Deployment: its variables, and its files. The file of the configuration is put into
 * `folder`; Secrets are put where they are to be mounted when that is in `folder`, too.
 */
export async function playPod(cluster: ClusterAccess, namespace: string, name: string, folder: string): Promise<Record<string, string>> {
  const deployment = await cluster.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  const pod = deployment!['spec'].template.spec;
  const read = async (kind: 'configmaps' | 'secrets', object: string): Promise<Record<string, string>> => {
    const found = await cluster.admin.get(`/api/v1/namespaces/${namespace}/${kind}/${object}`);
    if (!found) throw new Error(`${kind} ${object} is named by the pod, and is not there`);
    const decode = ([key, value]: [string, string]) => [key, kind === 'secrets' ? Buffer.from(value, 'base64').toString() : value];
    return Object.fromEntries(Object.entries<string>(found['data'] ?? {}).map(decode));
  };
  const env: Record<string, string> = {};
  for (const { name: variable, value, valueFrom } of pod.containers[0].env) {
    const { secretKeyRef, fieldRef } = valueFrom ?? {};
    if (value !== undefined) env[variable] = value;
    if (fieldRef?.fieldPath === 'metadata.namespace') env[variable] = namespace;
    if (secretKeyRef) env[variable] = (await read('secrets', secretKeyRef.name))[secretKeyRef.key] ?? '';
  }
  for (const { name: volume, mountPath } of pod.containers[0].volumeMounts) {
    const { configMap, secret } = pod.volumes.find((each: any) => each.name === volume);
    const target = configMap ? join(folder, 'config') : mountPath;
    if (!target.startsWith(folder)) continue;
    mkdirSync(target, { recursive: true });
    const files = configMap ? await read('configmaps', configMap.name) : await read('secrets', secret.secretName);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(target, file), text);
    if (configMap) env['CONFIG_FILE'] = (env['CONFIG_FILE'] ?? '').replace(mountPath, target);
  }
  return env;
}
