import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newsIn } from './same-news.ts';

const head = 'Cannot resolve reg.example/app:1:';
const refused = `${head} HEAD https://reg.example/v2/app/manifests/1: connect ECONNREFUSED 10.0.0.1:443.`;
const open = (seconds: number, why: string) =>
  `${head} reg.example failed several times in a row and is asked again in ${seconds} s; the last time: ${why}.`;

const table: readonly (readonly [title: string, one: string, other: string, isSame: boolean])[] = [
  ['the breaker opens after the same failure', refused, open(30, 'connect ECONNREFUSED 10.0.0.1:443'), true],
  ['fewer seconds are left', open(30, 'x'), open(17, 'x'), true],
  [
    'a limit counts down',
    `${head} reg.example asked to be left alone for 60 s more`,
    `${head} reg.example asked to be left alone for 5 s more`,
    true,
  ],
  ['another failure', open(30, 'connect ECONNREFUSED'), open(30, 'certificate has expired'), false],
  ['another tag', `${head} HTTP 404`, `${head.replace('1:', '2:')} HTTP 404`, false],
];

describe('operator/same-news', () => {
  for (const [title, one, other, isSame] of table) {
    it(`${title}: ${isSame ? 'no news' : 'news'}`, () => {
      assert.equal(newsIn(one) === newsIn(other), isSame, `${newsIn(one)}\n${newsIn(other)}`);
    });
  }
});
