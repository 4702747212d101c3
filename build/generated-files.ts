import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { annotationAdmission } from './admission-policy.ts';
import { chartReadme } from './chart/chart-readme.ts';
import { chartObjects, valuesSchema, valuesYaml } from './chart/chart-files.ts';
import { updateRequestCrd } from './crd.ts';
import { annotationsPage, configurationPage, metricsPage, reasonsPage } from './docs.ts';
import { clusterRbac, localRbac, namespaceRbac, permissionsPage } from './rbac.ts';

export interface GeneratedFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

/** Every file that is made from code, with the text it must have. */
export function generatedFiles(): readonly GeneratedFile[] {
  return [
    manifest('deploy/k8s/crds/updaterequest.yaml', 'src/core/update-request-schema.ts', [updateRequestCrd()]),
    manifest('deploy/k8s/rbac.yaml', 'src/kubernetes/permissions.ts', clusterRbac('headwind-system')),
    manifest('deploy/k8s/rbac-local.yaml', 'src/kubernetes/permissions.ts', localRbac('default')),
    manifest('deploy/k8s/rbac-namespace.yaml', 'src/kubernetes/permissions.ts', namespaceRbac('headwind-system')),
    manifest('deploy/k8s/validating-admission-policy.yaml', 'build/admission-policy.ts', annotationAdmission()),
    ...Object.entries(chartObjects()).map(([name, { source, content }]) => manifest(`charts/headwind/files/${name}`, source, [content])),
    { path: 'charts/headwind/README.md', text: chartReadme() },
    { path: 'charts/headwind/values.yaml', text: valuesYaml() },
    { path: 'charts/headwind/values.schema.json', text: valuesSchema() },
    { path: 'docs/annotations.md', text: annotationsPage() },
    { path: 'docs/configuration.md', text: configurationPage() },
    { path: 'docs/metrics.md', text: metricsPage() },
    { path: 'docs/permissions.md', text: permissionsPage() },
    { path: 'docs/reasons.md', text: reasonsPage() },
  ];
}

/** Paths of the generated files that are missing or differ from what the code says. */
export function staleFiles(root: string): string[] {
  return generatedFiles()
    .filter(({ path, text }) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text)
    .map(({ path }) => path);
}

function manifest(path: string, source: string, objects: readonly object[]): GeneratedFile {
  const documents = objects.map((object) => dump(object, { noRefs: true, lineWidth: -1 }));
  return { path, text: `# Generated from ${source} by \`node build/generate.ts\`.\n${documents.join('---\n')}` };
}
