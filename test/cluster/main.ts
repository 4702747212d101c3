// A cluster and a registry to play with; stays until Ctrl-C.
import { startTestBed } from './test-bed.ts';

const log = (line: string) => {
  console.error(`[test bed] ${line}`);
};

async function main(): Promise<void> {
  const interrupted = Promise.withResolvers<undefined>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.resolve(undefined));
  log('starting a control plane, a registry and a node');
  const bed = await startTestBed({ log });
  console.log(`export KUBECONFIG=${bed.cluster.kubeconfig}`);
  console.log(`registry: ${bed.registry.host} (plain HTTP); images from there run on the node with their true digests`);
  console.log('Ctrl-C ends it and removes everything.');
  const keepAlive = setInterval(() => undefined, 60_000);
  await interrupted.promise;
  clearInterval(keepAlive);
  log('stopping');
  await bed.stop();
}

await main();
