import type { PushHint } from './push-hint.ts';

/** What one webhook delivery comes to: hints, and what was passed over. A broken element never spoils its neighbours. */
export interface Delivery {
  /** The sender's format, a word of a closed set: `dockerhub`, `registry`, `flat`, `native`, `unknown_format`. */
  readonly format: string;
  readonly hints: readonly PushHint[];
  /** Elements that are understood but no push of a tag, or beyond the limit. */
  readonly ignored: number;
  /** Elements that lack a required member. */
  readonly malformed: number;
  /** What is wrong with the first malformed element, for the sender. */
  readonly problem?: string;
}

/** Parses the body of a delivery. `header` gives a request header by its lower-case name. Total: never throws. */
export type ParseDelivery = (body: unknown, header: (name: string) => string | undefined) => Delivery;

/** More pushes than this in one delivery are passed over. */
export const maximumHints = 1000;

/** Elements of one delivery that are looked at, whatever they are. */
export const maximumElements = 10_000;

type Element = PushHint | 'ignored' | { readonly problem: string };

/** Adds up what the elements of one delivery came to; equal pushes count once. */
export function toDelivery(format: string, elements: Iterable<Element>): Delivery {
  const hints = new Map<string, PushHint>();
  let ignored = 0;
  let malformed = 0;
  let problem: string | undefined;
  for (const element of elements) {
    if (element === 'ignored') ignored += 1;
    else if ('problem' in element) {
      malformed += 1;
      problem ??= element.problem;
    } else if (hints.size < maximumHints) {
      hints.set(`${element.registry}/${element.repository}:${element.tag}@${element.digest ?? ''}`, element);
    } else ignored += 1;
  }
  return { format, hints: [...hints.values()], ignored, malformed, ...(problem === undefined ? {} : { problem }) };
}
