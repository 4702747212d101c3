import type { Delivery, ParseDelivery } from '../core/delivery.ts';
import { parseJson } from '../core/json.ts';
import type { PushHint } from '../core/push-hint.ts';
import type { Log, Metrics } from '../ports.ts';
import { answerProblem, createApp, type HttpApp, type HttpContext, type Route } from './app.ts';
import { type BodyBudget, createBodyBudget, isJsonType, mediaTypeOf, readBody } from './body.ts';
import { healthRoutes, type HealthDeps } from './health.ts';

/** A delivery as it came, for the follower that forwards it to the leader. */
export interface RawDelivery {
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type Acceptance = 'accepted' | 'unavailable';

export interface WebhookAppDeps {
  /** The word of the format counts in metrics until the body is recognised. */
  readonly receivers: readonly { readonly path: string; readonly provider: string; readonly parse: ParseDelivery }[];
  /** Records hints (or forwards them to the leader) without waiting for a registry. `unavailable`: the sender should try again. */
  readonly accept: (hints: readonly PushHint[], raw: RawDelivery) => Acceptance | Promise<Acceptance>;
  readonly health: HealthDeps;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Receiver = WebhookAppDeps['receivers'][number];
type Result = 'accepted' | 'ignored' | 'malformed' | 'too_large' | 'unsupported' | 'dropped';

const bodyLimit = 3 * 1024 * 1024;
/** All long bodies together. */
const bodiesLimit = 48 * 1024 * 1024;
const distributionType = 'application/vnd.docker.distribution.events';
const utf8 = new TextDecoder();
const unreadable: Delivery = { format: '', hints: [], ignored: 0, malformed: 1 };

/** Port 8080: deliveries become hints and are answered at once; whether something changes is decided later, by the registry's answer. */
export function createWebhookApp(deps: WebhookAppDeps): HttpApp {
  const bodies = createBodyBudget(bodiesLimit);
  const routes: Route[] = deps.receivers.map((receiver) => ({
    method: 'POST',
    path: receiver.path,
    async handle(c) {
      const budget = bodies.open();
      try {
        return await receive(c, receiver, deps, budget);
      } finally {
        budget.release();
      }
    },
  }));
  return createApp({ name: 'webhook', log: deps.log, metrics: deps.metrics, routes: [...healthRoutes(deps.health), ...routes] });
}

async function receive(
  c: HttpContext,
  { parse, provider, path }: Receiver,
  deps: WebhookAppDeps,
  budget: ReturnType<BodyBudget['open']>,
): Promise<Response> {
  deps.metrics.increment('webhook_events_total');
  const finish = (result: Result, answer: Response, delivery: Delivery = unreadable): Response => {
    const format = delivery.format || provider;
    deps.metrics.increment('webhook_deliveries_total', { provider: format, result });
    const counts = { hints: delivery.hints.length, ignored: delivery.ignored, malformed: delivery.malformed };
    deps.log.debug({ path, provider: format, result, ...counts, request_id: c.get('requestId') }, 'webhook received');
    return answer;
  };
  const mediaType = mediaTypeOf(c.req.raw);
  // That registry repeats a failing event for ever and sends nothing else meanwhile: what cannot be used must still be acknowledged.
  const mustAcknowledge = mediaType.startsWith(distributionType);
  const refuse = (result: Result, status: 400 | 413 | 415, reason: string, sentence: string, delivery?: Delivery): Response =>
    finish(result, mustAcknowledge ? c.body(null, 204) : answerProblem(c, { status, reason, sentence }), delivery);

  const body = await readBody(c.req.raw, bodyLimit, budget);
  if (!body) return refuse('too_large', 413, 'BodyTooLarge', 'The body is larger than 3 MiB');
  const parsed = parseJson(utf8.decode(body));
  if ('invalid' in parsed) {
    const encoding = c.req.header('content-encoding')?.toLowerCase() ?? 'identity';
    if (encoding !== 'identity') return refuse('unsupported', 415, 'UnsupportedMediaType', withoutEncoding(encoding));
    const isOtherType = mediaType !== '' && !isJsonType(mediaType);
    return isOtherType
      ? refuse('unsupported', 415, 'UnsupportedMediaType', `Send JSON as application/json, not ${mediaType.slice(0, 100)}`)
      : refuse('malformed', 400, 'BadRequest', `Unusable body: ${parsed.invalid}`);
  }
  if (typeof parsed.value !== 'object' || parsed.value === null) {
    return refuse('malformed', 400, 'BadRequest', 'Unusable body: it is neither an object nor a list');
  }
  const delivery = parse(parsed.value, (name) => c.req.header(name));
  if (delivery.hints.length === 0) {
    if (delivery.problem !== undefined) return refuse('malformed', 400, 'BadRequest', `Unusable body: ${delivery.problem}`, delivery);
    if (delivery.format === 'unknown_format') logUnknown(deps.log, parsed.value, c);
    return finish('ignored', c.body(null, 204), delivery);
  }
  const acceptance = await deps.accept(delivery.hints, { path, headers: c.req.raw.headers, body });
  if (acceptance === 'accepted') return finish('accepted', c.text('Webhook processed'), delivery);
  const sentence = 'The delivery cannot be taken now; send it again';
  return finish('dropped', answerProblem(c, { status: 503, reason: 'Unavailable', sentence, headers: { 'Retry-After': '5' } }), delivery);
}

function withoutEncoding(encoding: string): string {
  return `Send the body without Content-Encoding ${encoding.replaceAll(/[^a-z0-9, _-]/g, '?').slice(0, 50)}`;
}

/** The names of members help to see what was sent; values are the sender's business. */
function logUnknown(log: Log, value: object, c: HttpContext): void {
  const members = Object.keys(value)
    .slice(0, 20)
    .map((name) => name.slice(0, 50));
  log.info({ members, path: c.req.path, request_id: c.get('requestId') }, 'webhook of unknown format ignored');
}
