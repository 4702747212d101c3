import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const pushedAtMs = Date.parse('2025-05-01T10:00:00Z');

interface Told {
  readonly host: string;
  readonly repository: string;
  /** Path → body; of several pages each. */
  readonly pages: Readonly<Record<string, { readonly body: unknown; readonly link?: string }>>;
  readonly asked: readonly string[];
  /** Does the request carry the credentials of the repository? */
  readonly withLogin: boolean;
}

const vendors: Readonly<Record<string, Told>> = {
  'Docker Hub': {
    host: 'docker.io',
    repository: 'acme/app',
    pages: {
      '/v2/repositories/acme/app/tags?page_size=100&ordering=last_updated&page=1': {
        body: { next: 'https://evil.example/', results: [{ name: '1.1.0', digest: other, tag_last_pushed: '2025-06-01T00:00:00.5Z' }] },
      },
      '/v2/repositories/acme/app/tags?page_size=100&ordering=last_updated&page=2': {
        body: { next: null, results: [{ name: '1.0.0', digest, tag_last_pushed: '2025-05-01T10:00:00Z' }] },
      },
    },
    asked: [1, 2].map(
      (page) => `GET https://hub.docker.com/v2/repositories/acme/app/tags?page_size=100&ordering=last_updated&page=${page}`,
    ),
    withLogin: false,
  },
  Quay: {
    host: 'quay.io',
    repository: 'acme/app',
    pages: {
      '/api/v1/repository/acme/app/tag/?limit=100&page=1&onlyActiveTags=true': {
        body: { has_additional: true, tags: [{ name: '1.1.0', manifest_digest: other, start_ts: 1_748_736_000 }] },
      },
      '/api/v1/repository/acme/app/tag/?limit=100&page=2&onlyActiveTags=true': {
        body: { has_additional: false, tags: [{ name: '1.0.0', manifest_digest: digest, start_ts: pushedAtMs / 1_000 }] },
      },
    },
    asked: [1, 2].map((page) => `GET https://quay.io/api/v1/repository/acme/app/tag/?limit=100&page=${page}&onlyActiveTags=true`),
    withLogin: false,
  },
  'Google Artifact Registry': {
    host: 'europe-docker.pkg.dev',
    repository: 'proj/repo/app',
    pages: {
      '/v2/proj/repo/app/tags/list': {
        body: {
          tags: ['1.0.0', '1.1.0'],
          manifest: {
            [digest]: { tag: ['1.0.0'], timeUploadedMs: String(pushedAtMs), timeCreatedMs: '0' },
            [other]: { tag: ['1.1.0'], timeUploadedMs: '1748736000000' },
          },
        },
      },
    },
    asked: ['GET https://europe-docker.pkg.dev/v2/proj/repo/app/tags/list'],
    withLogin: true,
  },
  Azure: {
    host: 'acme.azurecr.io',
    repository: 'team/app',
    pages: {
      '/acr/v1/team/app/_tags?orderby=timedesc&n=100': {
        body: { tags: [{ name: '1.1.0', digest: other, lastUpdateTime: '2025-06-01T00:00:00.1234567Z' }] },
        link: '</acr/v1/team/app/_tags?last=1.1.0&n=100&orderby=timedesc>; rel="next"',
      },
      '/acr/v1/team/app/_tags?last=1.1.0&n=100&orderby=timedesc': {
        body: { tags: [{ name: '1.0.0', digest, lastUpdateTime: '2025-05-01T10:00:00Z' }] },
      },
    },
    asked: [
      'GET https://acme.azurecr.io/acr/v1/team/app/_tags?orderby=timedesc&n=100',
      'GET https://acme.azurecr.io/acr/v1/team/app/_tags?last=1.1.0&n=100&orderby=timedesc',
    ],
    withLogin: true,
  },
};

async function setUp(t: TestContext, told: Told) {
  const asked: string[] = [];
  const setup = await setUpRegistry(t, { asked });
  setup.fake.switches.intercept = ({ url, headers }, response) => {
    if (told.withLogin && headers['authorization'] === undefined) {
      return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end());
    }
    const page = told.pages[url];
    if (!page) return Boolean(response.writeHead(404).end());
    return Boolean(response.writeHead(200, page.link === undefined ? {} : { link: page.link }).end(JSON.stringify(page.body)));
  };
  const ref = { registry: told.host, repository: told.repository };
  const login = aLogin(told.host === 'docker.io' ? 'https://index.docker.io/v1/' : told.host, 'bot', 'canary');
  const created = () => setup.registry.created(ref, setup.registry.credentials(ref, [login]), setup.signal);
  return { ...setup, asked, created };
}

const quay = vendors['Quay']!;

describe('registry/push-times', () => {
  for (const [vendor, told] of Object.entries(vendors)) {
    it(`${vendor} tells when tags were pushed, ${told.withLogin ? 'to those who may pull' : 'and sees no credentials'}`, async (t) => {
      const { fake, asked, created } = await setUp(t, told);
      const times = await created();
      assert.equal(times?.truncated, false);
      const byTag = new Map(times.tags.map((tag) => [tag.tag, tag]));
      assert.deepEqual(byTag.get('1.0.0'), { tag: '1.0.0', pushedAtMs, digest });
      assert.equal(byTag.get('1.1.0')?.digest, other);
      assert.deepEqual([...new Set(asked)], told.asked);
      if (!told.withLogin) assert.ok(fake.requests.every(({ headers }) => headers['authorization'] === undefined));
    });
  }

  it('other registries do not tell, and are not asked', async (t) => {
    const { registry, repository, seen, signal } = await setUpRegistry(t);
    assert.equal(await registry.created(repository(), registry.credentials(repository(), []), signal), undefined);
    assert.deepEqual(seen(), []);
  });

  for (const status of [401, 403, 404]) {
    it(`${status} means that it is not told to us`, async (t) => {
      const { fake, created } = await setUp(t, quay);
      fake.switches.intercept = (_, response) => Boolean(response.writeHead(status).end());
      assert.equal(await created(), undefined);
    });
  }

  const failures = [
    // title, status, body, code
    ['too many requests', 429, '', 'RateLimited'],
    ['trouble', 503, '', 'Unavailable'],
    ['a page for people', 200, '<html>', 'Protocol'],
    ['an array', 200, '[]', 'Protocol'],
  ] as const;
  for (const [title, status, body, code] of failures) {
    it(`${title} is ${code}`, async (t) => {
      const { fake, created } = await setUp(t, quay);
      fake.switches.intercept = (_, response) => Boolean(response.writeHead(status).end(body));
      await assert.rejects(created(), { code, operation: 'created' });
    });
  }

  const entries = [
    // title, entry
    ['no time', { name: '1.0.0' }],
    ['a time before there were images', { name: '1.0.0', start_ts: 1 }],
    ['a time in the future', { name: '1.0.0', start_ts: 4_000_000_000 }],
    ['a time that is none', { name: '1.0.0', start_ts: 'soon' }],
    ['an illegal tag', { name: 'a b', start_ts: pushedAtMs / 1_000 }],
    ['no name', { start_ts: pushedAtMs / 1_000 }],
  ] as const;
  for (const [title, entry] of entries) {
    it(`leaves out what has ${title}`, async (t) => {
      const page = '/api/v1/repository/acme/app/tag/?limit=100&page=1&onlyActiveTags=true';
      const { created } = await setUp(t, { ...quay, pages: { [page]: { body: { tags: [entry, null, 'x'] } } } });
      assert.deepEqual(await created(), { tags: [], truncated: false });
    });
  }

  it('pages without end are cut', async (t) => {
    const { fake, asked, created } = await setUp(t, quay);
    fake.switches.intercept = (_, response) => Boolean(response.writeHead(200).end('{"tags":[],"has_additional":true}'));
    assert.deepEqual(await created(), { tags: [], truncated: true });
    assert.equal(asked.length, 100);
  });

  it('a link to another host is not followed', async (t) => {
    const azure = vendors['Azure']!;
    const page = { body: { tags: [] }, link: '<https://evil.example/acr/v1/team/app/_tags>; rel="next"' };
    const { created } = await setUp(t, { ...azure, pages: { '/acr/v1/team/app/_tags?orderby=timedesc&n=100': page } });
    await assert.rejects(created(), { code: 'PaginationOffHost' });
  });

  it('asks once for all who want the same', async (t) => {
    const { asked, created } = await setUp(t, vendors['Google Artifact Registry']!);
    await Promise.all(Array.from({ length: 10 }, created));
    assert.equal(asked.length, 2);
  });

  it('throws only what was agreed, whatever a page holds', async (t) => {
    const { fake, created } = await setUp(t, quay);
    const body = fc.dictionary(
      fc.constantFrom('tags', 'has_additional'),
      fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(fc.constantFrom('name', 'start_ts', 'manifest_digest'), fc.jsonValue()))),
    );
    const property = fc.asyncProperty(body, async (value) => {
      fake.switches.intercept = ({ url }, response) =>
        Boolean(response.writeHead(200).end(JSON.stringify(url.includes('page=1&') ? value : {})));
      assert.ok(await created());
    });
    await fc.assert(property, { numRuns: 100, interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false });
  });
});
