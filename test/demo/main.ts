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

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { auto: { type: 'boolean' } } });
  const auto = values.auto === true || process.env['AUTO'] === '1';
  const interrupted = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.resolve(undefined));
  const opened: { stop(): Promise<void> }[] = [];
  try {
    const ports = await choosePorts();
    say('starting a Kubernetes control plane, a registry and a node');
    const webhooks = [{ url: `http://127.0.0.1:${ports.webhook}/webhook/registry` }];
    const bed = await startTestBed({ log: say, registry: { webhooks } });
    opened.push(bed);
    await deploy(bed);
    say('starting Headwind with the rights of deploy/k8s/rbac.yaml');
    const operator = await startOperator(bed.cluster, ports);
    opened.push(operator);
    await tellStory({ bed, ports, say, approve: auto });
    if (!auto) {
      explain(bed, ports);
      await Promise.race([interrupted.promise, endOf(operator)]);
    }
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.stack : error);
    return 1;
  } finally {
    say('stopping and removing everything');
    for (const part of opened.toReversed()) await part.stop();
  }
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

async function endOf({ process }: DemoOperator): Promise<void> {
  await process.exited;
  throw new Error(`Headwind ended:\n${process.log()}`);
}

function explain({ cluster, registry }: TestBed, { api, metrics, webhook }: Ports): void {
  console.log(`
The cluster stays until Ctrl-C. In another terminal:

  export KUBECONFIG=${cluster.kubeconfig}
  alias kubectl=${cluster.kubectlPath}

  kubectl get updaterequests -n shop                     # what is proposed, approved, done
  kubectl describe deployment web -n shop                # Events: what happened, and why
  curl -s http://127.0.0.1:${api}/api/v1/updates           # the same as JSON
  curl -s -X POST http://127.0.0.1:${api}/api/v1/updates/shop/NAME/approve -H 'content-type: application/json' -d '{"approver":"me"}'
  curl -s http://127.0.0.1:${metrics}/metrics | grep ^headwind_
  curl -s http://127.0.0.1:${webhook}/webhook/registry -d '{"repository":"${registry.host}/shop/web","tag":"1.5.0"}'   # a webhook by hand
`);
}

process.exit(await main());
