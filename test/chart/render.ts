import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { readLayer } from '../../src/config/layer.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import type { Manifest } from '../cluster/kube-client.ts';

export const chart = join(import.meta.dirname, '../../charts/headwind');
export const preset = join(chart, 'presets/kube-autorollout.yaml');

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  /** Files of values, below `values`. */
  readonly files?: readonly string[];
}

let helm: Promise<string> | undefined;

/** Runs the built helm; rejects with what it says. */
export async function runHelm(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  helm ??= ensureBinaries(['helm'], { log: (line) => console.error(`[test bed] ${line}`) }).then((paths) => paths.helm);
  const file = await helm;
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], { env: { ...process.env, ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim()));
      else resolve(stdout);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Values for the command line of helm, which reads them from its input. */
export function withValues(values: object | string, files: readonly string[] = []): { args: string[]; input: string } {
  const input = typeof values === 'string' ? values : JSON.stringify(values);
  return { args: [...files.flatMap((file) => ['-f', file]), '-f', '-'], input };
}

/** The objects of the chart with these values; rejects with the words of helm. */
export async function render(values: object | string = {}, options: RenderOptions = {}): Promise<Rendered> {
  const { release = 'release', namespace = 'place', files = [] } = options;
  const { args, input } = withValues(values, files);
  const text = await runHelm(['template', release, chart, '-n', namespace, ...args], { input });
  const documents: any[] = loadAll(text);
  return new Rendered(documents.filter((document) => document !== null && document !== undefined));
}

/** What the chart makes, by kind and name. */
export class Rendered {
  readonly objects: readonly Manifest[];

  constructor(objects: readonly Manifest[]) {
    this.objects = objects;
  }

  all(kind: string): Manifest[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  /** The only one, or that with the name; undefined when there is none. */
  one(kind: string, name?: string): Manifest | undefined {
    return this.all(kind).find(({ metadata }) => name === undefined || metadata['name'] === name);
  }

  get deployment(): Manifest {
    return this.one('Deployment')!;
  }

  get pod(): any {
    return this.deployment['spec'].template.spec;
  }

  get container(): any {
    return this.pod.containers[0];
  }

  env(name: string): any {
    const variable = this.container.env.find((each: any) => each.name === name);
    return variable?.value ?? variable?.valueFrom;
  }

  /** The configuration file, as text. */
  get file(): string {
    return this.all('ConfigMap').find(({ data }) => data?.['config.yaml'] !== undefined)!['data']['config.yaml'];
  }

  get config(): any {
    return load(this.file);
  }

  /** Resources and verbs that the operator is granted, as `secrets: get`. */
  get rights(): string[] {
    const granted = [...this.all('RoleBinding'), ...this.all('ClusterRoleBinding')].flatMap(({ roleRef, metadata }) =>
      this.all(roleRef.kind).filter(
        (role) => role.metadata['name'] === roleRef.name && role.metadata['namespace'] === metadata['namespace'],
      ),
    );
    const rules: any[] = granted.flatMap(({ rules }) => rules);
    return rules.flatMap(({ resources = [], verbs }) => resources.map((resource: string) => `${resource}: ${verbs.join(' ')}`));
  }
}

/** The mistakes that the operator finds in the file; any variable has a value. */
export async function mistakesIn({ file, container }: Rendered): Promise<readonly string[]> {
  const variables = Object.fromEntries(container.env.map(({ name }: any) => [name, 'x']));
  const result = await readLayer(file, { source: 'config.yaml', variables, isFile: true });
  return 'mistakes' in result ? result.mistakes : [];
}

export function example(name: string): string {
  return readFileSync(join(import.meta.dirname, 'examples', `${name}.yaml`), 'utf8');
}
