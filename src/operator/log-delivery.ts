import { canonicalRepository } from '../core/image-reference.ts';
import type { PushHint } from '../core/push-hint.ts';
import type { Log } from '../ports.ts';

/**
 * One line for each delivery of a webhook: the answer to "does it arrive, and does it concern anybody?". `taken` hints are looked at,
 * `users` are the managed workloads of each repository.
 */
export function logDelivery(log: Log, hints: readonly PushHint[], taken: number, users: readonly number[]): void {
  const [first] = hints;
  if (!first) return;
  const workloads = users.reduce((sum, using) => sum + using, 0);
  const image = `${canonicalRepository(first)}:${first.tag}`.slice(0, 400);
  const what = hints.length === 1 ? image : `${image} and ${hints.length - 1} more`;
  const news = taken === 0 ? 'nothing new' : hints.length === 1 ? 'taken in' : `${taken} taken in`;
  const concerns = workloads === 0 ? 'no managed workload uses it' : `${news}; managed workloads that use it: ${workloads}`;
  log.info({ provider: first.provider, image, hints: hints.length, taken, workloads }, `webhook: ${what}: ${concerns}`);
}
