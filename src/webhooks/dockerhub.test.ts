import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerHub } from './dockerhub.ts';

const push = (repository: object, pushData: object = { tag: '1.4.2' }): object => ({ push_data: pushData, repository });

const table: readonly [title: string, body: unknown, outcome: string][] = [
  ['the documented body', push({ name: 'app', namespace: 'acme', repo_name: 'acme/app', is_private: true }), 'docker.io/acme/app:1.4.2'],
  ['the shortest body', { push_data: { tag: 'v1.2.3' }, repository: { repo_name: 'myimage' } }, 'docker.io/library/myimage:v1.2.3'],
  ['namespace and name', push({ name: 'app', namespace: 'acme' }), 'docker.io/acme/app:1.4.2'],
  ['an empty repo_name', push({ name: 'app', namespace: 'acme', repo_name: '' }), 'docker.io/acme/app:1.4.2'],
  ['capitals', push({ repo_name: 'Acme/App' }, { tag: 'V1-RC' }), 'docker.io/acme/app:V1-RC'],
  ['pushed_at as float', push({ repo_name: 'acme/app' }, { tag: '1', pushed_at: 1.417566161e9 }), 'docker.io/acme/app:1'],
  [
    'pushed_at as text',
    push({ repo_name: 'acme/app' }, { tag: '1', pushed_at: 'yesterday', pusher: 7, images: null }),
    'docker.io/acme/app:1',
  ],
  ['no tag', push({ repo_name: 'acme/app' }, {}), 'push_data.tag is missing'],
  ['a tag that is no text', push({ repo_name: 'acme/app' }, { tag: 3 }), 'push_data.tag is missing'],
  ['an impossible tag', push({ repo_name: 'acme/app' }, { tag: 'a b' }), 'the tag is not valid'],
  ['no push_data', { repository: { repo_name: 'acme/app' } }, 'push_data.tag is missing'],
  ['no name', push({ namespace: 'acme' }), 'repository.repo_name is missing'],
  ['an impossible name', push({ repo_name: '../../etc' }), 'the repository is not valid'],
  ['a list', [], 'push_data.tag is missing'],
  ['null', null, 'push_data.tag is missing'],
];

describe('webhooks/dockerhub', () => {
  for (const [title, body, outcome] of table) {
    it(`${title}: ${outcome}`, () => {
      const { format, hints, problem } = parseDockerHub(body);
      const [hint] = hints;
      assert.equal(hint ? `${hint.registry}/${hint.repository}:${hint.tag}` : problem, outcome);
      assert.equal(format, 'dockerhub');
    });
  }
});
