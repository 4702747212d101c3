/** Forms of values, as JSON Schema (draft 7, which every Helm from 3.2 on reads). */
export type JsonSchema = Readonly<Record<string, unknown>>;

export const text: JsonSchema = { type: 'string' };
export const flag: JsonSchema = { type: 'boolean' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const port: JsonSchema = { type: 'integer', minimum: 1, maximum: 65_535 };
export const texts: JsonSchema = { type: 'object', additionalProperties: text };
/** What only Kubernetes can judge. */
export const anyObject: JsonSchema = { type: 'object' };
export const objects: JsonSchema = { type: 'array', items: anyObject };
export const intOrPercent: JsonSchema = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', pattern: '^([0-9]{1,3}%)?$' },
  ],
};
export const namespace: JsonSchema = { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' };
/** Lists of objects that are told apart by their name. */
export const named: JsonSchema = listOf({ type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } });

/** Where volumes are mounted. */
export const mounts: JsonSchema = listOf({
  type: 'object',
  required: ['name', 'mountPath'],
  properties: { name: { type: 'string', minLength: 1 }, mountPath: { type: 'string', minLength: 1 } },
});

export function oneOf(...words: readonly string[]): JsonSchema {
  return { type: 'string', enum: words };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

/** An object with these keys and no other. */
export function closed(properties: Readonly<Record<string, JsonSchema>>, ...required: readonly string[]): JsonSchema {
  return { type: 'object', additionalProperties: false, properties, ...(required.length > 0 && { required }) };
}

export const resources = closed({ requests: anyObject, limits: anyObject, claims: objects });
export const imageTag: JsonSchema = {
  anyOf: [
    { type: 'string', pattern: '^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$' },
    { type: 'integer', minimum: 0 },
  ],
};
export const digest: JsonSchema = { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' };
/** With the variable's name, a value or where it comes from. */
export const variables = listOf({
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { type: 'string', pattern: '^[A-Za-z_.-][A-Za-z0-9_.-]*$' }, value: text, valueFrom: anyObject },
});
export const envFrom = listOf(closed({ prefix: text, configMapRef: anyObject, secretRef: anyObject }));
export const rules = listOf(
  closed(
    { apiGroups: listOf(text), resources: listOf(text), resourceNames: listOf(text), nonResourceURLs: listOf(text), verbs: listOf(text) },
    'verbs',
  ),
);
export const ingressHosts = listOf(
  closed(
    {
      host: text,
      paths: listOf(
        closed(
          { path: text, pathType: oneOf('Prefix', 'Exact', 'ImplementationSpecific'), backend: oneOf('webhook', 'api', 'metrics') },
          'path',
        ),
      ),
    },
    'host',
    'paths',
  ),
);
