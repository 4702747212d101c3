import { parseJsonObject } from './json.ts';

export interface Token {
  readonly text: string;
  readonly usableUntilMs: number;
  /** A refresh token that replaces the one sent. */
  readonly refreshToken: string | undefined;
}

const defaultLifeMs = 60_000;
const shortestLifeMs = 30_000;
const longestLifeMs = 12 * 3_600_000;
const longestToken = 32 * 1024;

/** Reads the answer of a token endpoint; undefined when it holds no token that fits into a header. */
export function readTokenAnswer(body: Buffer, nowMs: number): Token | undefined {
  const answer = parseJsonObject(body) ?? {};
  const text = [answer['token'], answer['access_token']].find(isUsable);
  if (text === undefined) return undefined;
  const refreshToken = isUsable(answer['refresh_token']) ? answer['refresh_token'] : undefined;
  return { text, usableUntilMs: usableUntil(answer, nowMs), refreshToken };
}

/** A margin of 10 %, at least 10 s, is left for the way to the registry. */
function usableUntil(answer: Readonly<Record<string, unknown>>, nowMs: number): number {
  const lifeMs = lifeOf(answer['expires_in']);
  const until = (fromMs: number): number => fromMs + lifeMs - Math.max(10_000, lifeMs / 10);
  const issuedAtMs = typeof answer['issued_at'] === 'string' ? Date.parse(answer['issued_at']) : Number.NaN;
  // An issuer whose clock is ahead, or so far behind that its new token seems expired, is not believed.
  return issuedAtMs < nowMs && until(issuedAtMs) > nowMs ? until(issuedAtMs) : until(nowMs);
}

function lifeOf(expiresIn: unknown): number {
  const lifeMs = typeof expiresIn === 'number' && Number.isFinite(expiresIn) ? expiresIn * 1000 : defaultLifeMs;
  return Math.min(longestLifeMs, Math.max(shortestLifeMs, lifeMs));
}

function isUsable(text: unknown): text is string {
  return typeof text === 'string' && text.length <= longestToken && /^[\x21-\x7e]+$/.test(text);
}
