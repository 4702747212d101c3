import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTokenAnswer } from './token-answer.ts';

const now = Date.parse('2026-01-15T10:00:00Z');
const hour = 3_600;

const lives = [
  // title, members, seconds of use
  ['no life: 60 s', {}, 50],
  ['300 s', { expires_in: 300 }, 270],
  ['an hour', { expires_in: hour }, 0.9 * hour],
  ['a life of 1 s: at least 30 s', { expires_in: 1 }, 20],
  ['a negative life', { expires_in: -5 }, 20],
  ['a life of a year: at most 12 h', { expires_in: 365 * 24 * hour }, 0.9 * 12 * hour],
  ['a life that is text', { expires_in: '300' }, 50],
  ['issued a minute ago', { expires_in: 300, issued_at: '2026-01-15T09:59:00Z' }, 210],
  ['issued in the future', { expires_in: 300, issued_at: '2026-01-15T10:05:00Z' }, 270],
  ['issued long ago', { expires_in: 300, issued_at: '2020-01-15T10:05:00Z' }, 270],
  ['issued at no time', { expires_in: 300, issued_at: 'yesterday' }, 270],
] as const;

const answers = [
  // title, body, token
  ['token', '{"token":"a"}', 'a'],
  ['access_token', '{"access_token":"b"}', 'b'],
  ['token before access_token', '{"access_token":"b","token":"a"}', 'a'],
  ['an empty token beside access_token', '{"access_token":"b","token":""}', 'b'],
  ['the answer of ACR', '{"access_token":"c"}', 'c'],
  ['no token', '{}', undefined],
  ['a token with a line break', '{"token":"a\\r\\nx: y"}', undefined],
  ['a token that is a number', '{"token":5}', undefined],
  ['an endless token', JSON.stringify({ token: 'a'.repeat(40_000) }), undefined],
  ['a page', '<html>', undefined],
] as const;

describe('registry/token-answer', () => {
  for (const [title, members, seconds] of lives) {
    it(`${title} is used for ${seconds} s`, () => {
      const token = readTokenAnswer(Buffer.from(JSON.stringify({ token: 'x', ...members })), now);
      assert.equal(token!.usableUntilMs - now, seconds * 1000);
    });
  }

  for (const [title, body, text] of answers) {
    it(`reads ${title} as ${text ?? 'nothing'}`, () => assert.equal(readTokenAnswer(Buffer.from(body), now)?.text, text));
  }

  it('keeps a rotated refresh token', () => {
    assert.equal(readTokenAnswer(Buffer.from('{"access_token":"a","refresh_token":"r"}'), now)?.refreshToken, 'r');
  });
});
