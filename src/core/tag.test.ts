import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag, type Tag } from './tag.ts';

/** One line for a tag: kind/precision, then what is there of prefix, v, pre, variant, revision, hash, build. */
function show(tag: Tag | undefined): string {
  if (!tag) return 'not a version';
  const { pre, revision } = tag;
  const parts = [
    ['prefix', tag.prefix],
    ['v', tag.v],
    ['pre', pre?.identifiers.join(',') ?? ''],
    ['variant', tag.variant],
    ['rev', revision ? `${revision.style}:${revision.value}` : ''],
    ['hash', tag.hash],
    ['build', tag.build],
  ].filter(([, value]) => value !== '');
  return [`${tag.family.split('/').slice(0, 2).join('/')} ${tag.core.join('.')}`, ...parts.map(([name, value]) => `${name}=${value}`)].join(
    ' ',
  );
}

const table = [
  ['1.25', 'ver/2 1.25'],
  ['v1.25.3', 'ver/3 1.25.3 v=v'],
  ['V1.2.3', 'ver/3 1.2.3 v=V'],
  ['1.25.3-alpine3.18', 'ver/3 1.25.3 variant=-alpine3.18'],
  ['1.25.3-rc1-alpine', 'ver/3 1.25.3 pre=rc,1 variant=-alpine'],
  ['3.10.0b4', 'ver/3 3.10.0 pre=b,4'],
  ['1.1.1w', 'ver/3 1.1.1 rev=letter:w'],
  ['9.8p1', 'ver/2 9.8 rev=p:1'],
  ['7.9.1-1-ubi8', 'ver/3 7.9.1 variant=-ubi8 rev=n:1'],
  ['5.0.14-debian-12-r5', 'ver/3 5.0.14 variant=-debian-12 rev=r:5'],
  ['5.0.14-debian-12', 'ver/3 5.0.14 variant=-debian-12'],
  ['6.0.1-ls123', 'ver/3 6.0.1 rev=ls:123'],
  ['4.5.6-20240301', 'ver/3 4.5.6 rev=n:20240301'],
  ['2024.01.15', 'cal/3 2024.1.15'],
  ['2024', 'cal/1 2024'],
  ['1899', 'ver/1 1899'],
  ['1900', 'cal/1 1900'],
  ['2199.1', 'cal/2 2199.1'],
  ['2200', 'ver/1 2200'],
  ['2024-01-15', 'date/####-##-## 20240115'],
  ['2024_01_15', 'date/####_##_## 20240115'],
  ['20240115', 'date/######## 20240115'],
  ['20240115-1030', 'date/########-#### 202401151030'],
  ['20240115T103020Z', 'date/########T######Z 20240115103020'],
  ['RELEASE.2024-01-15T10-20-30Z', 'date/####-##-##T##-##-##Z 20240115102030 prefix=RELEASE.'],
  ['v20240115-0a1b2c3d4e', 'date/######## 20240115 v=v hash=-0a1b2c3d4e'],
  ['20240115-alpine', 'date/######## 20240115 variant=-alpine'],
  ['20240115-7', 'date/######## 20240115 rev=n:7'],
  // Implausible days and times are numbers.
  ['20241301', 'long/1 20241301'],
  ['20240132', 'long/1 20240132'],
  ['19891231', 'long/1 19891231'],
  ['22000101', 'long/1 22000101'],
  ['20240115-2460', 'date/######## 20240115 rev=n:2460'],
  ['20240115-102030123', 'date/######## 20240115 rev=n:102030123'],
  ['2024-01_15', 'cal/1 2024 variant=_15 rev=n:1'],
  ['20240115x', 'long/1 20240115 rev=letter:x'],
  ['1606234201', 'long/1 1606234201'],
  ['12345', 'long/1 12345'],
  ['1234', 'ver/1 1234'],
  ['1234567', 'long/1 1234567'],
  ['123456.1', 'ver/2 123456.1'],
  ['1.2.3-g1a2b3c4', 'ver/3 1.2.3 hash=-g1a2b3c4'],
  ['1.2.3-5-g1a2b3c4', 'ver/3 1.2.3 rev=n:5 hash=-g1a2b3c4'],
  ['1.2.3-g1234567', 'ver/3 1.2.3 hash=-g1234567'],
  ['1.3.0-0a1b2c3', 'ver/3 1.3.0 hash=-0a1b2c3'],
  ['1.3.0-0a1b2c3-alpine', 'ver/3 1.3.0 variant=-alpine hash=-0a1b2c3'],
  ['1.3.0-abcdefa', 'ver/3 1.3.0 variant=-abcdefa'],
  ['release-1.2.3', 'ver/3 1.2.3 prefix=release-'],
  ['my-app_v1.2', 'ver/2 1.2 prefix=my-app_ v=v'],
  ['prod-v1', 'ver/1 1 prefix=prod- v=v'],
  ['1.2.3-rc-1', 'ver/3 1.2.3 pre=rc,1'],
  ['1.2.3-rc-1-2', 'ver/3 1.2.3 pre=rc,1 rev=n:2'],
  ['1.2.3-rc.1.2', 'ver/3 1.2.3 pre=rc,1,2'],
  ['1.2.3.RC1', 'ver/3 1.2.3 pre=RC,1'],
  ['1.2.3-SNAPSHOT', 'ver/3 1.2.3 pre=SNAPSHOT'],
  ['1.2.3-nightly.20240301', 'ver/3 1.2.3 pre=nightly,20240301'],
  ['1.0alpha.2-slim', 'ver/2 1.0 pre=alpha,2 variant=-slim'],
  ['1.0rc1.2-1', 'ver/2 1.0 pre=rc,1,2 rev=n:1'],
  // One-letter words need a number, unknown words are variants.
  ['1.2.3-b', 'ver/3 1.2.3 variant=-b'],
  ['1.2.3-b.1', 'ver/3 1.2.3 pre=b,1'],
  ['1.2.3b', 'ver/3 1.2.3 rev=letter:b'],
  ['1.2.3-testing', 'ver/3 1.2.3 variant=-testing'],
  ['1.2.3-betamax1', 'ver/3 1.2.3 variant=-betamax1'],
  ['1.2.3-alpha.beta', 'ver/3 1.2.3 variant=-alpha.beta'],
  ['3.1.0.Final', 'ver/3 3.1.0 variant=.Final'],
  ['1.3.0_alpine', 'ver/3 1.3.0 variant=_alpine'],
  ['1.2.3-alpine-5', 'ver/3 1.2.3 variant=-alpine-5'],
  ['1.2.3-R5', 'ver/3 1.2.3 variant=-R5'],
  // A tag has one revision.
  ['1.1.1w-2', 'ver/3 1.1.1 variant=-2 rev=letter:w'],
  ['7.9.1-1-r2', 'ver/3 7.9.1 variant=-r2 rev=n:1'],
  ['1.2.3-', 'ver/3 1.2.3 variant=-'],
  ['1.2.3--x', 'ver/3 1.2.3 variant=--x'],
  ['1.2.3+build.7', 'ver/3 1.2.3 build=build.7'],
  ['1.2.3-rc1+a+b', 'ver/3 1.2.3 pre=rc,1 build=a+b'],
  ['01.002.3', 'ver/3 1.2.3'],
  ['9007199254740993.0.0', 'ver/3 9007199254740993.0.0'],
  ['1.2.3.4', 'ver/4 1.2.3.4'],
  ['1.2.3.4rc1', 'ver/4 1.2.3.4 pre=rc,1'],
  ['1.2.3p', 'ver/3 1.2.3 rev=letter:p'],
  ['1..2x', 'ver/1 1 variant=..2x'],
] as const;

describe('core/tag', () => {
  for (const [text, expected] of table) {
    it(`reads "${text}" as ${expected}`, () => {
      const tag = parseTag(text);
      assert.equal(show(tag), expected);
      if (tag) assert.equal(tag.text, text);
    });
  }

  const words = 'latest main v abc1234 0a1b2c3 8u392 1abc 1.2.3.4.5 1.2.3.4.5a main-abc1234-100 main-123456a 123456a-alpine'.split(' ');
  for (const text of [...words, '', '1.2.3W', '1.2.3ab', '-1.2', '.1', 'a1', '+1', '1.2.3 ', '1,2', '١.٢']) {
    it(`sees no version in "${text}"`, () => assert.equal(parseTag(text), undefined));
  }

  const families = [
    ['1.2.3', 'v1.2.3', true],
    ['1.2.3', '1.2.4-rc1', true],
    ['1.2.3', '1.2.3+b', true],
    ['1.2.3-r1', '1.2.4-r9', true],
    ['2024-01-15', '2024-02-20', true],
    ['1.2.3-g1a2b3c4', '1.2.4-abcdef0', true],
    ['1.2', '1.2.3', false],
    ['1.2.3', '1.2.3-alpine', false],
    ['1.2.3-alpine', '1.2.3_alpine', false],
    ['1.2.3-alpine', '1.2.3-Alpine', false],
    ['1.2.3', 'release-1.2.3', false],
    ['1.2.3', '1.2.3-r1', false],
    ['1.2.3-r1', '1.2.3-ls1', false],
    ['1.2.3-1', '1.2.3-r1', false],
    ['1.1.1w', '1.1.1', false],
    ['1.2.3', '1.2.3-g1a2b3c4', false],
    ['1.2.3-alpine', '1.2.4-alpine-g1a2b3c4', false],
    ['1.2.3', '2024.1.1', false],
    ['20240115', '12345678', false],
    ['2024-01-15', '20240115', false],
    ['2024-01-15', '2024-01-15T10-20-30Z', false],
    ['12345', '1234', false],
  ] as const;
  for (const [a, b, same] of families) {
    it(`${a} and ${b} are ${same ? 'one family' : 'two families'}`, () => {
      assert.equal(parseTag(a)?.family === parseTag(b)?.family, same);
    });
  }
});
