import { toJsonSchema } from '@valibot/to-json-schema';
import { type RawObject, recordAt } from '../src/kubernetes/raw.ts';
import { updateRequestSpecSchema, updateRequestStatusSchema } from '../src/core/update-request-schema.ts';

/** Keywords that a structural schema of the API server knows. Another one would be refused, or silently dropped. */
const knownKeywords = new Set(['type', 'properties', 'required', 'items', 'enum', 'format', 'description', 'default', 'maxLength']);

const columns = [
  // The first seven and their order are what users of the original see.
  ['Target', 'string', '.spec.targetRef.name', 'Name of the workload'],
  ['Container', 'string', '.spec.containerName', 'Container that changes'],
  ['Current', 'string', '.spec.currentImage', 'Image now'],
  ['New', 'string', '.spec.newImage', 'Image afterwards'],
  ['Policy', 'string', '.spec.policy', 'Policy that proposed the change'],
  ['Phase', 'string', '.status.phase', 'How far the change is'],
  ['Age', 'date', '.metadata.creationTimestamp', undefined],
  ['Trigger', 'string', '.spec.trigger', 'What made the change known'],
  ['Approved By', 'string', '.status.approvedBy', 'Who approved'],
  ['Reason', 'string', ".status.conditions[?(@.type=='Applied')].reason", 'Why it was applied, waits or was refused'],
] as const;
const narrowColumns = 7;

/** What must not change after creation. Objects stored before these rules existed stay valid. */
const specRules = [
  rule('self.targetRef == oldSelf.targetRef', 'targetRef is immutable: create another request'),
  rule(
    'has(self.containerName) == has(oldSelf.containerName) && (!has(self.containerName) || self.containerName == oldSelf.containerName)',
    'containerName is immutable: create another request',
  ),
  rule('self.currentImage == oldSelf.currentImage', 'currentImage is immutable: create another request'),
  rule('self.newImage == oldSelf.newImage', 'newImage is immutable: create another request'),
  rule(
    '!has(oldSelf.newDigest) || (has(self.newDigest) && self.newDigest == oldSelf.newDigest)',
    'newDigest is immutable once it is set: an approval covers it',
  ),
  rule('self.policy == oldSelf.policy', 'policy is immutable: create another request'),
  rule(
    'has(self.trigger) == has(oldSelf.trigger) && (!has(self.trigger) || self.trigger == oldSelf.trigger)',
    'trigger is immutable: create another request',
  ),
  rule(
    '(has(oldSelf.requireApproval) && !oldSelf.requireApproval) || !has(self.requireApproval) || self.requireApproval',
    'requireApproval may only become true',
  ),
];

/** The CustomResourceDefinition of UpdateRequest, from the one schema behind the types. */
export function updateRequestCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'updaterequests.headwind.sh' },
    spec: {
      group: 'headwind.sh',
      names: {
        kind: 'UpdateRequest',
        listKind: 'UpdateRequestList',
        plural: 'updaterequests',
        singular: 'updaterequest',
        shortNames: ['ur', 'upd'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(printerColumn),
          schema: { openAPIV3Schema: objectSchema() },
        },
      ],
    },
  };
}

function objectSchema(): object {
  const spec = structural(jsonSchemaOf(updateRequestSpecSchema));
  const status = structural(jsonSchemaOf(updateRequestStatusSchema));
  return {
    type: 'object',
    description: 'A proposed, approved, running or finished change of one workload.',
    // spec is not required: the original did not require it either, and what is stored must stay readable.
    'x-kubernetes-validations': [rule('!has(oldSelf.spec) || has(self.spec)', 'spec cannot be removed')],
    properties: {
      spec: { description: 'What changes.', ...spec, 'x-kubernetes-validations': specRules },
      status: { description: 'How far the change is.', ...withConditionKeys(status) },
    },
  };
}

function jsonSchemaOf(schema: Parameters<typeof toJsonSchema>[0]): RawObject {
  return { ...toJsonSchema(schema, { target: 'openapi-3.0' }) };
}

/** Without the empty `required` of a schema whose members are all optional; throws on a keyword the API server does not know. */
export function structural(schema: unknown, path = 'schema'): RawObject {
  const node: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(recordAt(schema))) {
    if (keyword === '$schema' || (keyword === 'required' && Array.isArray(value) && value.length === 0)) continue;
    if (!knownKeywords.has(keyword)) throw new Error(`${path}: a structural schema has no "${keyword}"`);
    if (keyword === 'items') node[keyword] = structural(value, `${path}[]`);
    else if (keyword === 'properties') node[keyword] = structuralMembers(recordAt(value), path);
    else node[keyword] = value;
  }
  return node;
}

function structuralMembers(members: RawObject, path: string): RawObject {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, structural(member, `${path}.${name}`)]));
}

function withConditionKeys(status: RawObject): RawObject {
  const properties = recordAt(status, 'properties');
  const conditions = { ...recordAt(properties, 'conditions'), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] };
  return { ...status, properties: { ...properties, conditions } };
}

function printerColumn([name, type, jsonPath, description]: (typeof columns)[number], index: number): object {
  return { name, type, jsonPath, ...(description && { description }), ...(index >= narrowColumns && { priority: 1 }) };
}

function rule(expression: string, message: string): object {
  return { rule: expression, message };
}
