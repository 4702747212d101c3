import { dump } from 'js-yaml';
import { annotationAdmission } from '../admission-policy.ts';
import { updateRequestCrd } from '../crd.ts';
import { chartRules } from '../rbac.ts';
import { chartValues, objectSchemas } from './chart-values.ts';

const notice = 'Generated from build/chart/chart-values.ts by `node build/generate.ts`.';

interface Node {
  help?: string;
  value?: unknown;
  readonly children: Map<string, Node>;
}

function tree(): Node {
  const root: Node = { children: new Map() };
  for (const { path, default: value, help } of chartValues) {
    let node = root;
    for (const part of path.split('.')) {
      const child = node.children.get(part) ?? { children: new Map<string, Node>() };
      node.children.set(part, child);
      node = child;
    }
    Object.assign(node, { value, help });
  }
  return root;
}

/** `values.yaml`: each value below the line that says what it does. */
export function valuesYaml(): string {
  return `# ${notice}\n${linesOf(tree(), '').join('\n')}\n`;
}

function linesOf({ children }: Node, indent: string): string[] {
  return [...children].flatMap(([key, node]) => {
    const first = indent === '' ? [''] : [];
    if (node.children.size > 0) return [...first, `${indent}${key}:`, ...linesOf(node, `${indent}  `)];
    const written = dump({ [key]: node.value }, { lineWidth: -1 })
      .trimEnd()
      .split('\n');
    return [...first, `${indent}# ${node.help}`, ...written.map((line) => `${indent}${line}`)];
  });
}

/** `values.schema.json`: an unknown key is a mistake. */
export function valuesSchema(): string {
  const root = { ...schemaOf(tree(), ''), $schema: 'http://json-schema.org/draft-07/schema#', title: notice };
  const properties = { ...root.properties, global: { type: 'object' } };
  return `${JSON.stringify({ ...root, properties }, undefined, 2)}\n`;
}

function schemaOf(node: Node, at: string): any {
  const own = objectSchemas()[at];
  if (own) return own;
  const row = chartValues.find(({ path }) => path === at);
  if (row) return { ...row.schema, description: row.help };
  const entries = [...node.children].map(([key, child]) => [key, schemaOf(child, at === '' ? key : `${at}.${key}`)] as const);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(entries) };
}

/** The table of the README. */
export function valuesTable(): string {
  const rows = chartValues.map(({ path, default: value, help }) => {
    return `| \`${path}\` | \`${JSON.stringify(value).replaceAll('|', '\\|')}\` | ${help.replaceAll('|', '\\|')} |`;
  });
  return ['| Value | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** Objects that the templates take over: the custom resource, the rules of the rights, the checks of annotations. */
export function chartObjects(): Readonly<Record<string, { readonly source: string; readonly content: object }>> {
  return {
    'crd.yaml': { source: 'src/core/update-request-schema.ts', content: updateRequestCrd() },
    'rules.yaml': { source: 'src/kubernetes/permissions.ts', content: chartRules() },
    'admission-policy.yaml': { source: 'build/admission-policy.ts', content: { items: annotationAdmission() } },
  };
}
