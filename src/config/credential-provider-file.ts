import * as v from 'valibot';
import type { CredentialProviderSettings } from '../core/registry-settings.ts';
import type { Checked, ReadFile } from './checked-files.ts';
import { readYaml, type YamlNode } from './yaml-tree.ts';

const attributes = v.object({
  serviceAccountTokenAudience: v.string(),
  cacheType: v.picklist(['ServiceAccount', 'Token']),
  requireServiceAccount: v.picklist(['true', 'false']),
  requiredServiceAccountAnnotationKeys: v.optional(v.array(v.string()), []),
  optionalServiceAccountAnnotationKeys: v.optional(v.array(v.string()), []),
});

const provider = v.object({
  name: v.pipe(v.string(), v.regex(/^[^/\s]+$/, 'a file name without "/"'), v.notValues(['.', '..'], 'a file name')),
  apiVersion: v.picklist(['credentialprovider.kubelet.k8s.io/v1'], 'credentialprovider.kubelet.k8s.io/v1'),
  matchImages: v.pipe(v.array(v.string()), v.minLength(1, 'at least one pattern')),
  defaultCacheDuration: v.pipe(v.string(), v.regex(/^0$|^(\d+(\.\d+)?(h|m|s|ms))+$/, 'a duration: 0s, 10m, 12h')),
  args: v.optional(v.array(v.string()), []),
  env: v.optional(v.array(v.object({ name: v.string(), value: v.string() })), []),
  tokenAttributes: v.optional(attributes),
});

const providerFile = v.object({
  apiVersion: v.picklist(['kubelet.config.k8s.io/v1'], 'kubelet.config.k8s.io/v1'),
  kind: v.literal('CredentialProviderConfig', 'CredentialProviderConfig'),
  providers: v.array(provider, 'a list of providers'),
});

/** Reads the kubelet's `CredentialProviderConfig`; its programs are those of `directory` and no others. */
export async function readCredentialProviders(
  path: string,
  directory: string,
  read: ReadFile,
): Promise<Checked<readonly CredentialProviderSettings[]>> {
  const file = read(path);
  if ('problem' in file) return { problem: `${path} ${file.problem}` };
  const document = await readYaml(file.text, undefined);
  if (document.mistakes.length > 0)
    return { problem: `${path}: ${document.mistakes.map(({ line, message }) => `line ${line ?? 1}: ${message}`).join('; ')}` };
  const result = v.safeParse(providerFile, plainOf(document.root));
  if (!result.success) {
    return {
      problem: `${path}: ${result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the document'}: write ${issue.message}`).join('; ')}`,
    };
  }
  return { value: result.output.providers.map((each) => settingsOf(each, directory)) };
}

function settingsOf(
  { name, matchImages, defaultCacheDuration, args, env, tokenAttributes }: v.InferOutput<typeof provider>,
  directory: string,
): CredentialProviderSettings {
  return {
    name,
    path: `${directory.replace(/\/+$/, '')}/${name}`,
    matchImages,
    defaultCacheMs: durationMs(defaultCacheDuration),
    args,
    env,
    ...(tokenAttributes && {
      tokenAttributes: { ...tokenAttributes, requireServiceAccount: tokenAttributes.requireServiceAccount === 'true' },
    }),
  };
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `1h30m` as Go writes durations. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
}

function plainOf(node: YamlNode | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.isNull ? undefined : node.text;
  if (node.kind === 'list') return node.items.map((item) => plainOf(item));
  return Object.fromEntries(
    node.entries.flatMap(({ key, value }) => (value.kind === 'scalar' && value.isNull ? [] : [[key, plainOf(value)]])),
  );
}
