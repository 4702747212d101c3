/** Every annotation below `headwind.sh/`: what it means, what it accepts. Parsing, documentation and validation read this one table. */

export const annotationPrefix = 'headwind.sh/';

export interface AnnotationRow {
  readonly meaning: string;
  readonly accepts: string;
  readonly default: string;
  /** May `headwind.sh/<key>.<container>` override it for one container? */
  readonly perContainer: boolean;
  /** Read by the operator, or written by it in the same patch as the image. */
  readonly access: 'read' | 'written';
}

const boolean = '`true` or `false`';
const read = (meaning: string, accepts: string, fallback: string, perContainer = true): AnnotationRow => ({
  meaning,
  accepts,
  default: fallback,
  perContainer,
  access: 'read',
});
const written = (meaning: string, accepts: string): AnnotationRow => ({
  meaning,
  accepts,
  default: '',
  perContainer: false,
  access: 'written',
});

export const annotationTable = {
  policy: read(
    'Which tag may replace which; the switch that makes a workload managed',
    '`none`, `patch`, `minor`, `major`, `all`, `glob`, `force`, `digest`, `regex:<re2>`, `semver:<range>`',
    'none',
  ),
  pattern: read('Glob for policy `glob`', 'a glob over the whole tag', 'none'),
  'require-approval': read('Does a person have to approve?', boolean, 'true'),
  'min-update-interval': read('Least time between two applied changes', 'seconds, or `90s`, `5m`, `6h`, `7d`; 0 for none', '300'),
  images: read('Which containers', 'comma list of globs over container names or images; empty for all', 'all', false),
  'event-source': read('Which origin of news may cause an update', '`webhook`, `polling`, `both`, `none`', 'webhook'),
  'polling-interval': read(
    'Own polling cadence, shorter or longer than the global one',
    'seconds ≥ 1, or `90s`, `5m`, `6h`, `7d`',
    'the global interval',
  ),
  'auto-rollback': read('Undo an unhealthy change', boolean, 'false', false),
  'rollback-timeout': read(
    'Time from the change until the rollout must be healthy',
    'seconds ≥ 1, or `90s`, `5m`, `6h`, `7d`',
    '300',
    false,
  ),
  'health-check-retries': read('Consecutive failed probes before the rollback', 'an integer ≥ 1', '3', false),
  'digest-mode': read('How a new digest of the same tag is applied', '`restart` or `pin`', 'restart'),
  'allow-prerelease': read('May a stable version move to a prerelease?', boolean, 'false'),
  adopt: read('May the workload leave a tag that is no version?', boolean, 'false'),
  'match-tag': read('Take only pushes of the very tag that runs', boolean, 'false'),
  'strict-semver': read('Read tags as strict SemVer only', boolean, 'false'),
  'track-digest': read('Also follow new digests of the running tag', boolean, 'false'),
  'ignore-tags': read('Tags that are never candidates', 'comma list of globs, at most 50', 'none'),
  order: read('Order of tags for `glob` and `regex`', '`alphabetical` or `created`', 'natural'),
  'ignore-pull-policy': read('Restart for a new digest although the kubelet might not pull', boolean, 'false'),
  'delete-pods': read('Apply a new digest by deleting pods', boolean, 'false', false),
  'dry-run': read('Decide and report, but create and change nothing', boolean, 'false', false),
  'last-update': written('When the last change was applied', 'RFC 3339'),
  'update-history': written('The last changes, newest first', 'JSON array, at most 10 per container'),
  digests: written('The digest last applied, per container', 'JSON object'),
} as const satisfies Record<string, AnnotationRow>;

export type AnnotationKey = keyof typeof annotationTable;
