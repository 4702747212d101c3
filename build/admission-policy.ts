import { type AnnotationKey, annotationPrefix, type AnnotationRow, annotationTable } from '../src/core/annotation-table.ts';
import { policyNames } from '../src/core/update-request-schema.ts';
import { workloadKinds } from '../src/kubernetes/workload-kinds.ts';

/** A ValidatingAdmissionPolicy that refuses bad `headwind.sh/*` annotations before they are stored. Optional: the operator holds them anyway. */

const name = 'headwind-annotations';
const value = 'object.metadata.annotations[k]';
const trimmed = `${value}.trim()`;
const lower = `${trimmed}.lowerAscii()`;
/** The key without prefix and container. */
const base = `k.substring(${annotationPrefix.length}).split('.')[0]`;
const isOfContainer = `k.substring(${annotationPrefix.length}).contains('.')`;

const listOf = (words: readonly string[]): string => `[${words.map((word) => `'${word}'`).join(', ')}]`;
const oneOf = (...words: string[]): string => `${lower} in ${listOf(words)}`;
const boolean = oneOf('true', 'false');
const exactBoolean = `${trimmed} in ['true', 'false']`;
const plainPolicies = policyNames.filter((policy) => policy !== 'regex' && policy !== 'semver');

/** When a value is right, as an expression over the key `k`; undefined: any text, or one that only the operator can judge. */
const forms: Readonly<Record<AnnotationKey, string | undefined>> = {
  policy: `(${oneOf(...plainPolicies)} || ${trimmed}.matches('^(?i)(glob|regex|regexp|semver):'))`,
  pattern: undefined,
  'require-approval': exactBoolean,
  'min-update-interval': `${trimmed}.matches('^[0-9]{1,10}[smhd]?$')`,
  images: undefined,
  'event-source': oneOf('webhook', 'polling', 'both', 'none'),
  'polling-interval': `${trimmed}.matches('^0*[1-9][0-9]{0,9}[smhd]?$')`,
  'auto-rollback': exactBoolean,
  'rollback-timeout': `${trimmed}.matches('^0*[1-9][0-9]{0,9}[smhd]?$')`,
  'health-check-retries': `${trimmed}.matches('^[1-9][0-9]{0,5}$')`,
  'digest-mode': oneOf('restart', 'pin'),
  'allow-prerelease': boolean,
  adopt: boolean,
  'match-tag': boolean,
  'strict-semver': boolean,
  'track-digest': boolean,
  'ignore-tags': undefined,
  order: oneOf('alphabetical', 'created'),
  'ignore-pull-policy': boolean,
  'delete-pods': boolean,
  'dry-run': boolean,
  'last-update': undefined,
  'update-history': undefined,
  digests: undefined,
};

/** The policy and its binding. */
export function annotationAdmission(): object[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name, labels: { 'app.kubernetes.io/part-of': 'headwind' } };
  const policy = {
    // A mistake in a check must not keep anybody from deploying.
    failurePolicy: 'Ignore',
    matchConstraints: { resourceRules: resourceRules() },
    matchConditions: [
      {
        name: 'annotated',
        expression: `has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('${annotationPrefix}'))`,
      },
    ],
    variables: [{ name: 'changed', expression: changedKeys() }],
    validations: [...valueChecks(), containerCheck(), knownCheck()],
  };
  return [
    { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec: policy },
    { apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: { policyName: name, validationActions: ['Deny'] } },
  ];
}

function resourceRules(): object[] {
  const kinds = Object.values(workloadKinds);
  const groups = Map.groupBy(kinds, ({ apiVersion }) => apiVersion);
  return [...groups].map(([apiVersion, rows]) => ({
    apiGroups: [apiVersion.split('/')[0]],
    apiVersions: [apiVersion.split('/')[1]],
    operations: ['CREATE', 'UPDATE'],
    resources: rows.map(({ resource }) => resource),
  }));
}

/** What is stored already may stay: nobody who scales a workload is asked to correct it. */
function changedKeys(): string {
  const old = 'oldObject.metadata.annotations';
  return (
    `object.metadata.annotations.map(k, k).filter(k, k.startsWith('${annotationPrefix}') && ` +
    `(oldObject == null || !has(${old}) || !(k in ${old}) || ${old}[k] != ${value}))`
  );
}

function valueChecks(): object[] {
  const rows = Object.entries<AnnotationRow>(annotationTable).flatMap(([key, { accepts }]) => {
    const form = forms[key as AnnotationKey];
    return form === undefined ? [] : [{ key, accepts: accepts.replaceAll('`', ''), form }];
  });
  const groups = Map.groupBy(rows, ({ accepts, form }) => `${accepts}\n${form}`);
  return [...groups.values()].map((group) => {
    const { accepts, form } = group[0] ?? { accepts: '', form: 'true' };
    const concerned = `${base} in ${listOf(group.map(({ key }) => key))}`;
    return check(`${concerned} && !(${form})`, `it must be ${accepts}`);
  });
}

function containerCheck(): object {
  const whole = Object.entries<AnnotationRow>(annotationTable).filter(([, { perContainer, access }]) => access === 'read' && !perContainer);
  const keys = listOf(whole.map(([key]) => key));
  return check(`${isOfContainer} && ${base} in ${keys}`, 'it holds for the whole workload, not for one container');
}

function knownCheck(): object {
  const known = Object.keys(annotationTable);
  return check(`!(${base} in ${listOf(known)})`, `it is not known; known are ${known.join(', ')}`);
}

/** Nothing changed may be wrong; the message names the first key that is, its value, and what it should be. */
function check(wrong: string, sentence: string): object {
  const all = `variables.changed.filter(k, ${wrong})`;
  const first = `${all}[0]`;
  const text = `object.metadata.annotations[${first}]`;
  const shown = `(${text}.size() > 100 ? ${text}.substring(0, 100) : ${text})`;
  return {
    expression: `!variables.changed.exists(k, ${wrong})`,
    message: `an annotation ${annotationPrefix}* is wrong: ${sentence}`,
    messageExpression: `${first} + ' is "' + ${shown} + '": ${sentence}'`,
    reason: 'Invalid',
  };
}
