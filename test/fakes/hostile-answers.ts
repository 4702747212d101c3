import type { FakeRegistry } from './registry.ts';

/** Takes the place of the registry's own answer when it gives true. */
export type Intercept = NonNullable<FakeRegistry['switches']['intercept']>;

/** An answer that is never finished. */
export function beginning(status: number, part: string, headers: Record<string, string> = {}): Intercept {
  return (_, response) => {
    response.writeHead(status, headers).write(part);
    return true;
  };
}

/** As much as the client takes, for ever. */
export function endless(piece = 'x'.repeat(65_536)): Intercept {
  return (_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
    return true;
  };
}

/** A character now and then, so that no pause is ever long. */
export function drip(): Intercept {
  return (_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
    return true;
  };
}
