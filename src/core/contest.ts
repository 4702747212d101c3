import type { ConsideredReason, Rejection } from './candidate.ts';
import type { Order } from './tag-orders.ts';

/** Candidates that compete to follow the running tag. */
export interface Contest {
  /** What speaks for or against one tag. */
  judge(text: string): ConsideredReason;
  /** The best eligible candidate, and what was said against the others. The order of the candidates does not matter. */
  run(candidates: Iterable<string>): Outcome;
}

export interface Outcome {
  readonly winner: string | undefined;
  readonly rejections: ReadonlySet<Rejection>;
}

/** A further condition on a candidate that is greater than the running tag. */
export type Limit<V> = (candidate: V, current: V) => Rejection | undefined;

/** Only what is strictly greater than `current`, comparable with it and within `limit` can win; the greatest does. */
export function rise<V extends object>(order: Order<V>, current: V, limit: Limit<V>): Contest {
  const enter = (text: string): V | Rejection => {
    const value = order.read(text);
    if (typeof value === 'string') return value;
    const apart = order.apart(value, current);
    if (apart !== undefined) return apart;
    const step = order.compare(value, current);
    if (step <= 0) return step === 0 ? 'Equal' : 'Lower';
    return limit(value, current) ?? value;
  };
  return {
    judge: (text) => {
      const value = enter(text);
      return typeof value === 'string' ? value : 'Greater';
    },
    run: (candidates) => best(candidates, enter, order, order.style(current)),
  };
}

/** The greatest of those that may enter; among equals one of the wanted style, then the smallest by bytes. */
export function best<V extends object>(
  candidates: Iterable<string>,
  enter: (text: string) => V | Rejection,
  order: Order<V>,
  style: string,
): Outcome {
  const rejections = new Set<Rejection>();
  let winner: { text: string; value: V } | undefined;
  for (const text of candidates) {
    const value = enter(text);
    if (typeof value === 'string') rejections.add(value);
    else if (!winner || isBetter(order, style, { text, value }, winner)) winner = { text, value };
  }
  return { winner: winner?.text, rejections };
}

function isBetter<V extends object>(order: Order<V>, style: string, a: { text: string; value: V }, b: { text: string; value: V }): boolean {
  const step = order.compare(a.value, b.value);
  if (step !== 0) return step > 0;
  const fits = order.style(a.value) === style;
  return fits === (order.style(b.value) === style) ? a.text < b.text : fits;
}
