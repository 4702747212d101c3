import { valuesTable } from './chart-files.ts';

/** `charts/headwind/README.md` */
export function chartReadme(): string {
  return `# Helm chart of Headwind

<!-- Generated from build/chart by \`node build/generate.ts\`. -->

\`\`\`sh
helm install headwind charts/headwind -n headwind-system --create-namespace --set image.repository=<registry>/headwind --set image.tag=<tag>
helm upgrade headwind charts/headwind -n headwind-system -f values.yaml
helm uninstall headwind -n headwind-system     # the custom resource and all update requests stay
\`\`\`

Helm 3.8 or newer (tested with 4.2), Kubernetes 1.25 or newer. **No image is published yet**: put one where your cluster can pull it, with \`headwind\` as its entry point, and name
it in \`image.repository\` and \`image.tag\`.

One release for a namespace: all pods of a namespace share the Lease \`headwind\`.

## Registries

\`config\` takes every key of the [configuration file](../../docs/configuration.md), and for the credentials of registries what the chart of kube-autorollout takes:

\`\`\`yaml
config:
  registries:
    - hostnamePattern: "ghcr.io"
      secret: { type: ImagePullSecret, name: ghcr-creds, mountPath: /etc/secrets/registries/ghcr.io }
    - hostnamePattern: "*.artifactory.example.com"
      secret: { type: Opaque, name: artifactory, key: IDENTITY_TOKEN, username: bot }
    - hostnamePattern: "*"
      secret: { type: None }
\`\`\`

| \`secret.type\` | Needs | The chart |
|---|---|---|
| \`ImagePullSecret\` | \`name\`, \`mountPath\` | mounts the Secret as a folder; what changes in it is read within seconds, after the kubelet has brought it |
| \`Opaque\`, or no type | \`name\` and \`key\`, or \`token\`, which wins | makes a variable of it, named after Secret and key; restart the pods when it changes. A \`token\` that is written out is kept in a Secret of its own, unless it names a variable: \`\${MINE}\` |
| \`None\` | | sends no credential |

Secrets must be there before. \`config.tls.customCaCertificates.secrets[]\` mounts authorities: \`subPath\` is the key, \`mountPath\` the file. Those of one folder are
mounted as that folder, so that what changes arrives; where something else is in that folder (\`/etc/ssl/certs\`, \`/\`), as a single file, read when the pod starts.

## Rights

| Wanted | Values |
|---|---|
| all namespaces, by a ClusterRole | none |
| some namespaces, by a Role in each | \`watch.namespaces: [shop, team-a]\` |
| the namespace of the release, as kube-autorollout | \`-f charts/headwind/presets/kube-autorollout.yaml\`, which sets \`watch.ownNamespace\` and leaves out CronJobs, deleting pods, and the roles for people |
| no access to any Secret | \`rbac.secrets.enabled: false\`: credentials come from \`config.registries\`, the cloud or programs |
| somebody else makes the rights | \`rbac.create: false\`; [docs/permissions.md](../../docs/permissions.md) has them all |

What a value leaves out is not asked for either (\`HEADWIND_WITHHELD_RIGHTS\`). The custom resource is brought by the first release of a cluster and upgraded with it;
further releases leave it alone. Who may not make custom resources sets \`crds.install: false\` and has somebody apply \`deploy/k8s/crds/updaterequest.yaml\`.

## Who wins

The file (\`config\`) wins over variables (\`env\`), the ConfigMap \`<fullname>-config\` over both; it changes without a restart, and upgrades keep what others wrote into it.
\`config.logLevel\` is the variable \`RUST_LOG\`. A changed \`config\` restarts the pods (\`checksum/config\`).

## Values

A value that is not in this table, or below a map in it, is a mistake that is told with its place. Objects in the form of Kubernetes are taken over as they are.
\`env\` takes every variable of the operator that the chart does not set itself.

${valuesTable()}
`;
}
