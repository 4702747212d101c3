import type { TagVector } from './tag-vectors.ts';

/** Versions of charts. */
export const chartVectors: readonly (TagVector & { readonly reason?: string })[] = [
  { id: 'H1', policy: 'minor', current: '1.2.3', tags: ['1.3.0', '2.0.0', '1.3.1-beta.1'], expected: '1.3.0' },
  { id: 'H2', policy: 'semver:^1', current: '1.2.3', tags: ['1.9.0', '2.0.0'], expected: '1.9.0' },
  { id: 'H4', policy: 'patch', current: '1.2.3+build.1', tags: ['1.2.3+build.2'], expected: 'hold' },
  { id: 'H5', policy: 'patch', current: '1.2.3+build.1', tags: ['1.2.4_build.1'], expected: '1.2.4+build.1' },
  // 2.0.0 is deprecated and therefore not in the list.
  { id: 'H7', policy: 'major', current: '1.2.3', tags: ['1.9.0'], expected: '1.9.0' },
  { id: 'H8', policy: 'minor', current: '0.4.2', tags: ['0.5.0'], expected: '0.5.0' },
  { id: 'H10', policy: 'all', current: '1.2.3', tags: ['1.3.0-alpha.1', '1.2.4'], expected: '1.3.0-alpha.1' },
  { id: 'H11', policy: 'semver:1.x', current: '2.0.0', tags: ['1.9.9'], expected: 'hold' },
  { id: 'H13', policy: 'minor', current: '1.2', tags: ['1.3.0'], expected: 'hold', reason: 'InvalidChartVersion' },
  { id: 'H20 keeps the v', policy: 'minor', current: 'v1.2.3', tags: ['v1.3.0'], expected: 'v1.3.0' },
  { id: 'H21 no leading zeros', policy: 'minor', current: '1.2.3', tags: ['1.03.0'], expected: 'hold' },
  { id: 'H22 a push that differs in build only', policy: 'all', current: '1.2.3+a', event: '1.2.3+b', expected: 'hold' },
  { id: 'H23 force takes any version', policy: 'force', current: '1.2.3', event: '1.0.0', expected: '1.0.0' },
  { id: 'H24 force takes no text', policy: 'force', current: '1.2.3', event: 'latest', expected: 'hold', reason: 'TagRefused' },
  { id: 'H25 glob orders by SemVer', policy: 'glob', pattern: '1.*', current: '1.9.0', tags: ['1.10.0', '2.0.0'], expected: '1.10.0' },
  {
    id: 'H26 glob matches the version text',
    policy: 'glob',
    pattern: '*+x',
    current: '1.9.0+x',
    tags: ['1.9.1_x', '1.9.2_y'],
    expected: '1.9.1+x',
  },
  { id: 'H27 two underscores', policy: 'minor', current: '1.2.3', tags: ['1.3.0_a_b'], expected: 'hold' },
  { id: 'H28 restart reconciles', policy: 'all', current: '1.2.3', digestChanged: true, expected: 'restart' },
  { id: 'H29 suffixes are prereleases', policy: 'minor', current: '1.2.3', tags: ['1.3.0-alpine'], expected: 'hold' },
  { id: 'H30 invalid before policy', policy: 'force', current: '1', event: '2.0.0', expected: 'hold', reason: 'InvalidChartVersion' },
];
