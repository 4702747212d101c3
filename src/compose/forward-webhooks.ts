import type { Acceptance, RawDelivery } from '../http/webhooks.ts';
import type { Observed } from '../kubernetes/leader-election.ts';
import type { Outbound } from '../outbound.ts';

const forwardedHeader = 'x-headwind-forwarded';
const timeoutMs = 3000;

/** Hands a delivery that a follower received to the leader. `unavailable` when there is none, or it cannot be reached: the sender tries again. */
export function createForwarder({
  outbound,
  leader,
}: {
  outbound: Outbound;
  leader: () => Observed;
}): (delivery: RawDelivery) => Promise<Acceptance> {
  return async ({ path, headers, body }) => {
    const { address, isMine } = leader();
    // A delivery that was forwarded once has found no leader: going round in circles would not help.
    if (address === undefined || isMine || headers.has(forwardedHeader)) return 'unavailable';
    try {
      const { status } = await outbound.request({
        method: 'POST',
        url: new URL(path, address),
        headers: { 'content-type': headers.get('content-type') ?? 'application/json', [forwardedHeader]: '1' },
        body,
        maxBytes: 64 * 1024,
        directlyNamed: true,
        proxy: false,
        timeouts: { callMs: timeoutMs },
      });
      return status < 300 ? 'accepted' : 'unavailable';
    } catch {
      return 'unavailable';
    }
  };
}
