import { type Call, callFailure } from './call.ts';
import type { Reply } from './exchange.ts';
import { nextPageOf } from './link.ts';

/** The URL of the next page of a list; throws where a registry must not lead. */
export function followLink(call: Call, { answer, source }: Reply, link: string, asked: URL): URL {
  const next = nextPageOf(link, asked);
  if ('url' in next) return next.url;
  const facts = { httpStatus: answer.status, source };
  if ('invalid' in next) throw callFailure(call, 'Protocol', `${call.endpoint.registry} continues its list with ${next.invalid}`, facts);
  const sentence = `${call.endpoint.registry} continues its list on another origin (${next.offHost}), which is not followed`;
  throw callFailure(call, 'PaginationOffHost', sentence, facts);
}
