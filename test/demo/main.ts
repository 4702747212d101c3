// `make demo`: everything on this machine, a story to watch, addresses to try; stays until Ctrl-C. With AUTO=1 it approves by itself,
// checks the result and ends with 0 or 1.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTestBed, type TestBed } from '../cluster/test-bed.ts';
import { choosePorts, type DemoOperator, type Ports, startOperator } from './operator.ts';
import { tellStory } from './story.ts';

const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
  console.log(`[${seconds} s] ${line}`);
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Ctrl-C counts at any time: what has been opened is stopped in order, and what is just being started ends with this process. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { auto: { type: 'boolean' } } });
  const auto = values.auto === true || process.env['AUTO'] === '1';
  const opened: Stoppable[] = [];
  const interrupted = Promise.withResolvers<number>();
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping = true;
      interrupted.resolve(auto ? 130 : 0);
    });
  }
  const played = play(auto, opened).catch((error: unknown) => {
    if (!stopping) console.error(error instanceof Error ? error.stack : error);
    return 1;
  });
  const code = await Promise.race([played, interrupted.promise]);
  say('stopping and removing everything');
  for (const part of opened.toReversed()) await part.stop();
  return code;
}

async function play(auto: boolean, opened: Stoppable[]): Promise<number> {
  const ports = await choosePorts();
  say('starting a Kubernetes control plane, a registry and a node');
  const webhooks = [{ url: `http://127.0.0.1:${ports.webhook}/webhook/registry` }];
  const bed = await startTestBed({ log: say, registry: { webhooks } });
  opened.push(bed);
  await deploy(bed);
  say('starting Headwind with the rights of deploy/k8s/rbac.yaml');
  const operator = await startOperator(bed.cluster, ports);
  opened.push(operator);
  const request = await tellStory({ bed, ports, say, approve: auto });
  if (auto) return 0;
  explain(bed, ports, operator, request);
  return endOf(operator);
}

async function deploy({ cluster, registry }: TestBed): Promise<void> {
  say('pushing the first images and deploying a Deployment, a StatefulSet and a CronJob');
  await Promise.all([
    registry.push('shop/web', '1.4.2'),
    registry.push('shop/queue', '7.2.0'),
    registry.push('shop/exporter', '1.0.0'),
    registry.push('shop/report', 'v1.0-stable'),
  ]);
  const manifests = readFileSync(join(import.meta.dirname, 'shop.yaml'), 'utf8').replaceAll('REGISTRY', registry.host);
  await cluster.apply(manifests);
  await cluster.untilRolledOut('/apis/apps/v1/namespaces/shop/deployments/web');
  await cluster.untilRolledOut('/apis/apps/v1/namespaces/shop/statefulsets/queue');
}

async function endOf({ process }: DemoOperator): Promise<never> {
  await process.exited;
  throw new Error(`Headwind ended:\n${process.log()}`);
}

function explain({ cluster, registry }: TestBed, { api, metrics, webhook }: Ports, { logFile }: DemoOperator, request: string): void {
  const updates = `http://127.0.0.1:${api}/api/v1/updates`;
  const manifest = `http://${registry.host}/v2/shop/web/manifests`;
  const type = 'application/vnd.oci.image.manifest.v1+json';
  console.log(`
The cluster stays until Ctrl-C. In another terminal, from this folder:

  export KUBECONFIG=${cluster.kubeconfig} HEADWIND_API_URL=http://127.0.0.1:${api}
  alias kubectl=${cluster.kubectlPath} headwind=${join(import.meta.dirname, '../../bin/headwind')}

Look:
  kubectl get updaterequests -n shop -o wide             # what is proposed, approved, done
  kubectl describe deployment web -n shop                # Events: what happened, and why
  headwind explain web -n shop                           # policy, tags, verdict, what comes next
  tail -f ${logFile}         # the log of the operator

Approve, one of the two, and watch the Deployment roll:
  kubectl patch ur ${request} -n shop --subresource=status --type=merge -p '{"status":{"phase":"Approved","approvedBy":"me"}}'
  curl -s ${updates}/shop/${request}/approve -H 'content-type: application/json' -d '{"approver":"me"}'

Push web 1.6.0 (the manifest of 1.5.0 under another tag); the registry tells Headwind:
  curl -s -H 'accept: ${type}' ${manifest}/1.5.0 |
    curl -s -X PUT -H 'content-type: ${type}' --data-binary @- ${manifest}/1.6.0

More:
  curl -s ${updates}           # the requests as JSON
  curl -s http://127.0.0.1:${metrics}/metrics | grep ^headwind_
  curl -s http://127.0.0.1:${webhook}/webhook/registry -d '{"repository":"${registry.host}/shop/web","tag":"1.5.0"}'   # a webhook by hand
`);
}

process.exit(await main());
