import fc from 'fast-check';

const small = fc.constantFrom('0', '1', '2', '3', '9', '10', '01', '99', '9007199254740992', '9007199254740993');
const mostly = <T>(value: T, others: readonly T[]) => fc.constantFrom(...Array<T>(6).fill(value), ...others);
const numbers = fc.array(small, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
const year = fc.constantFrom('2024.1.15', '2024.01.20', '2025.2', '1899', '1900', '2199');
const date = fc.constantFrom(
  '20240115',
  '20240116',
  '2024-01-15',
  '2024-02-01',
  '20240115-1030',
  '2024-01-15T10-20-30Z',
  '1606234201',
  '123456',
);

/** Tags that look like life: versions of every family, near misses, dates, hashes, words. */
export const version = fc
  .tuple(
    mostly('', ['release-', 'RELEASE.', 'a-b_']),
    mostly('', ['v', 'V']),
    fc.oneof({ weight: 8, arbitrary: numbers }, year, date),
    mostly('', ['-rc1', '-rc.2', '-beta', 'b4', '-SNAPSHOT', '-alpha.1', '-a1', '-M2', '.RC1', '-rc-1', 'w', 'x', 'p1']),
    mostly('', ['-1', '-2', '-20240101']),
    mostly('', ['-alpine', '-alpine3.18', '_slim', '-debian-12', '.Final', '-']),
    mostly('', ['-r1', '-r2', '-ls10', '-p3']),
    mostly('', ['-g1a2b3c4', '-0a1b2c3', '-def5678']),
    mostly('', ['+b1', '+b2']),
  )
  .map((parts) => parts.join(''));

const words = [
  'latest',
  'main',
  'dev',
  'abc1234',
  'main-abc1234-1',
  'main-def5678-2',
  'main-def5678-10',
  'build-x',
  'sha256-aa.sig',
  'no tag',
  '',
];

export const tag = fc.oneof({ weight: 6, arbitrary: version }, { weight: 1, arbitrary: fc.constantFrom(...words) });

const pick = <T>(...values: T[]) => fc.constantFrom(...values);

/** A repository as they are: most tags are of one family, near each other, among others that are not. */
export const repository: fc.Arbitrary<{ current: string; tags: string[]; event: string }> = fc
  .tuple(
    mostly('', ['release-']),
    mostly('', ['-alpine', '_slim']),
    mostly('', ['-r', '-', '-ls']),
    mostly('', ['-g1a2b3c']),
    fc.integer({ min: 1, max: 4 }),
  )
  .chain(([prefix, variant, revision, hash, count]) => {
    const cores = fc.array(pick('1', '1', '2', '0', '10'), { minLength: count, maxLength: count }).map((parts) => parts.join('.'));
    const member = fc
      .tuple(
        mostly('', ['v']),
        cores,
        mostly('', ['-rc1', '-rc2', '-b1', '-SNAPSHOT']),
        pick('1', '2', '10'),
        pick('1', '2'),
        mostly('', ['+b1', '+b2']),
      )
      .map(([v, core, pre, number, digit, build]) =>
        [prefix, v, core, pre, revision && revision + number, variant, hash && hash + digit, build].join(''),
      );
    const some = fc.oneof({ weight: 6, arbitrary: member }, { weight: 1, arbitrary: tag });
    return fc.record({ current: some, tags: fc.array(some, { maxLength: 6 }), event: some });
  });
