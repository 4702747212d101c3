import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chooseScheme, parseChallenges } from './challenge.ts';

const bearer = (realm: string, service?: string, scope?: string, error?: string) => ({ kind: 'bearer', realm, service, scope, error });
const basic = { kind: 'basic' };
const none = { kind: 'none' };

const table = [
  // header, number of challenges, what is used
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
    1,
    bearer('https://auth.docker.io/token', 'registry.docker.io', 'repository:library/nginx:pull'),
  ],
  ['bearer REALM = "https://a/t" , service=x', 1, bearer('https://a/t', 'x')],
  ['Basic realm="Artifactory Realm"', 1, basic],
  ['Basic realm="https://123.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com"', 1, basic],
  ['Bearer realm="https://r/t",service="s",scope="a:b:pull,push"', 1, bearer('https://r/t', 's', 'a:b:pull,push')],
  ['Bearer realm="https://cb/t",service="c",scope="*",Basic realm="https://cb/v2",service="c"', 2, bearer('https://cb/t', 'c', '*')],
  ['Basic realm="x", Bearer realm="https://cb/t"', 2, bearer('https://cb/t')],
  [
    'Bearer realm="https://r/t",service="a, b",scope="repository:x:pull,push repository:y:pull"',
    1,
    bearer('https://r/t', 'a, b', 'repository:x:pull,push repository:y:pull'),
  ],
  [
    'Bearer realm="https://gitlab.example/jwt/auth",service="container_registry",scope="repository:a/b:pull",error="insufficient_scope"',
    1,
    bearer('https://gitlab.example/jwt/auth', 'container_registry', 'repository:a/b:pull', 'insufficient_scope'),
  ],
  [
    'Bearer realm="https://acme.azurecr.io/oauth2/token",service="acme.azurecr.io",scope="repository:app:metadata_read"',
    1,
    bearer('https://acme.azurecr.io/oauth2/token', 'acme.azurecr.io', 'repository:app:metadata_read'),
  ],
  ['Bearer', 1, basic],
  ['Basic', 1, basic],
  ['BASIC REALM="x"', 1, basic],
  ['NTLM, Negotiate, Bearer realm="https://a/t"', 3, bearer('https://a/t')],
  ['Negotiate a+/b==,Bearer realm="https://a/t",service="s"', 2, bearer('https://a/t', 's')],
  ['Digest realm="x",nonce="a,b",qop="auth",Basic realm="y"', 2, basic],
  ['Negotiate, Basic realm="x"', 2, basic],
  ['Negotiate abc123==, NTLM', 2, none],
  ['Negotiate abc123==', 1, none],
  ['Bearer realm="a\\"b"', 1, bearer('a"b')],
  ['Bearer scope="x"', 1, basic],
  ['Bearer realm="",service="x"', 1, basic],
  ['Bearer realm="/token"', 1, bearer('/token')],
  ['Bearer realm="https://x/t",error="insufficient_scope"', 1, bearer('https://x/t', undefined, undefined, 'insufficient_scope')],
  ['Bearer realm=https://x/t,service=s', 1, bearer('https://x/t', 's')],
  ['Bearer realm="https://x/t",,service="s",', 1, bearer('https://x/t', 's')],
  [',, Basic', 1, basic],
  ['', 0, none],
] as const;

const broken = [
  'Bearer realm="https://x',
  'Bearer realm="https://x\\',
  'Basic realm="x" Bearer realm="https://x"',
  '\u0000',
  'Bearer realm="x" garbage',
  '"quoted"',
  '=',
  'Bearer realm="x"; scope="y"',
  'Basic\trealm="x"\u0000',
];

describe('registry/challenge', () => {
  for (const [header, count, used] of table) {
    it(`reads ${header.slice(0, 70) || 'an empty header'} as ${used.kind}`, () => {
      const challenges = parseChallenges(header);
      assert.ok(!('invalid' in challenges));
      assert.equal(challenges.length, count);
      assert.deepEqual(chooseScheme(challenges), used);
    });
  }

  it('reads each of several headers', () => {
    const challenges = parseChallenges(['Basic realm="x"', 'Bearer realm="https://a/t"']);
    assert.ok(!('invalid' in challenges));
    assert.deepEqual(chooseScheme(challenges), bearer('https://a/t'));
  });

  for (const header of broken) {
    it(`refuses ${JSON.stringify(header)} without quoting it`, () => {
      const answer = parseChallenges(header);
      assert.ok('invalid' in answer, JSON.stringify(answer));
      assert.ok(!answer.invalid.includes('https://x') && !answer.invalid.includes('garbage'));
    });
  }

  it('gives challenges or a sentence for every text, in bounded time', () => {
    const piece = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', 'a/b', '==', '\t', 'é');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (header) => {
          const answer = parseChallenges(header);
          assert.ok('invalid' in answer || answer.every(({ scheme }) => scheme === scheme.toLowerCase()));
        },
      ),
    );
    const started = performance.now();
    parseChallenges('Bearer ' + 'a="b",'.repeat(5000));
    parseChallenges('Bearer ' + 'a'.repeat(32_000) + '!');
    assert.ok(performance.now() - started < 1000);
  });
});
