import type * as v from 'valibot';
import { configTable, laterVariables, platformVariables } from '../../src/core/config-table.ts';
import { factsOf } from '../../src/config/file-leaf.ts';
import { fileSchema } from '../../src/config/file-schema.ts';
import { formsOf, isMapSchema, itemOf, unwrap, valueOf } from '../../src/config/schema-shape.ts';
import { closed, flag, type JsonSchema, listOf, port } from './value-schemas.ts';

const path: JsonSchema = { type: 'string', pattern: '^/.*[^/]$' };
const name: JsonSchema = { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' };
const some: JsonSchema = { type: 'string', minLength: 1 };
const maybe: JsonSchema = { type: ['string', 'null'] };

/** The token itself, or where it is. */
const token: JsonSchema = {
  anyOf: [
    { required: ['token'], properties: { token: some } },
    { required: ['name', 'key'], properties: { name, key: some } },
  ],
};

/** As the chart of kube-autorollout has it: what the program reads, and the Secret that the chart mounts or makes a variable of. */
const secret: JsonSchema = {
  ...closed({
    type: { enum: ['None', 'ImagePullSecret', 'Opaque', null] },
    name: maybe,
    mountPath: maybe,
    key: maybe,
    username: maybe,
    token: maybe,
  }),
  if: { required: ['type'], properties: { type: { const: 'None' } } },
  else: {
    if: { required: ['type'], properties: { type: { const: 'ImagePullSecret' } } },
    // A keyword of JSON Schema, in data that is written to a file: nothing awaits it.
    // oxlint-disable-next-line unicorn/no-thenable
    then: { required: ['name', 'mountPath'], properties: { name, mountPath: { type: 'string', pattern: '^/' } } },
    else: token,
  },
};

const customCaCertificates = closed({
  enabled: flag,
  secrets: listOf(closed({ name, subPath: some, mountPath: path }, 'name', 'subPath', 'mountPath')),
});

/** What the chart says otherwise than the file; by path. */
const own: Readonly<Record<string, JsonSchema>> = {
  'registries[].secret': secret,
  'registries[].hostnamePattern': some,
  'webserver.port': { anyOf: [port, { type: 'string', pattern: '^[1-9][0-9]{0,4}$' }] },
};

/** `config`: the keys of the configuration file, and those that only the chart reads. */
export function configSchema(): JsonSchema {
  const file: any = schemaOf(fileSchema, '');
  const { properties } = file;
  const tls = { ...properties.tls, properties: { ...properties.tls.properties, customCaCertificates } };
  return { ...file, properties: { ...properties, tls, logLevel: { type: 'string' } } };
}

function schemaOf(schema: v.GenericSchema, at: string): JsonSchema {
  const form = unwrap(schema);
  const facts = factsOf(schema);
  const described = facts.help === undefined ? {} : { description: facts.help };
  return { ...described, ...(own[at] ?? shapeOf(form, at, facts.later === true)) };
}

function shapeOf(form: v.GenericSchema, at: string, isLater: boolean): JsonSchema {
  if (isLater) return {};
  const item = itemOf(form);
  if (item) return listOf(schemaOf(item, `${at}[]`));
  const value = valueOf(form);
  if (value) return { type: 'object', additionalProperties: schemaOf(value, `${at}.*`) };
  const forms = formsOf(form);
  if (forms.length > 1) return { anyOf: forms.map((each) => schemaOf(each, at)) };
  if (!isMapSchema(form)) return leafOf(form);
  const entries = Object.entries(form.entries);
  const required = entries.flatMap(([key, entry]) => (entry.type === 'optional' ? [] : [key]));
  return closed(Object.fromEntries(entries.map(([key, entry]) => [key, schemaOf(entry, at === '' ? key : `${at}.${key}`)])), ...required);
}

function leafOf(schema: v.GenericSchema): JsonSchema {
  const { form } = factsOf(schema);
  if (form === 'true or false') return { enum: [true, false, 'true', 'false', null] };
  return { type: ['string', 'number', 'null'] };
}

/** Set by the chart from other values. */
const ofChart = new Set([
  'CONFIG_FILE',
  'HEADWIND_CONFIG_PATH',
  'HEADWIND_CONFIGMAP_NAME',
  'HEADWIND_NAMESPACE',
  'HEADWIND_WATCH_NAMESPACES',
  'HEADWIND_WITHHELD_RIGHTS',
  'HEADWIND_WEBHOOK_PORT',
  'HEADWIND_API_PORT',
  'HEADWIND_UI_PORT',
  'HEADWIND_METRICS_PORT',
  'KUBECONFIG',
]);
const platform = Object.keys(platformVariables).filter((variable) => /PROXY$|^SSL_/.test(variable));

/** `env`: the variables of the operator that the chart does not set from other values. */
export function envSchema(): JsonSchema {
  const settings = Object.values(configTable).filter(({ variable }) => !ofChart.has(variable));
  const value = { type: ['string', 'number', 'boolean', 'null'] };
  return closed({
    ...Object.fromEntries(settings.map(({ variable, help }) => [variable, { ...value, description: help }])),
    ...Object.fromEntries(platform.map((variable) => [variable, { ...value, description: platformVariables[variable] }])),
    HEADWIND_MAX_HEAP_MB: { ...value, description: 'Limit of the heap in MB; half of the memory limit unless set' },
    ...Object.fromEntries(Object.keys(laterVariables).map((variable) => [variable, value])),
  });
}
