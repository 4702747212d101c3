import * as v from 'valibot';
import { compileGlob } from '../core/glob.ts';
import { key, leaf, requiredKey } from './file-leaf.ts';

const booleans = new Map(
  [true, false].flatMap((value) => [`${value}`, value ? 'True' : 'False', `${value}`.toUpperCase()].map((form) => [form, value] as const)),
);

export const boolean = leaf('true or false', (text) => booleans.get(text));
export const text = leaf('a text', (value) => value);
export const word = leaf('a text that is not empty', (value) => (value === '' ? undefined : value));
export const path = leaf('the path of a file or folder', (value) => (value === '' || value.includes('\0') ? undefined : value));
const globForm = 'a pattern for the whole name of a registry: *.example.com, reg-[ab].local, {a,b}.example.com:5000';
export const glob = leaf<string>(globForm, (value) => {
  const compiled = compileGlob(value);
  return 'invalid' in compiled ? { invalid: `${compiled.invalid}; write ${globForm}` } : value;
});
const url = leaf('a URL that begins with http:// or https://, without credentials', httpUrl);
const wholeNumber = leaf('a whole number from 1 to 10000', (value) => numberFrom(value, /^\d{1,5}$/, 1, 10_000));
const rate = leaf('a number above 0, at most 10000', (value) => numberFrom(value, /^\d{1,5}(\.\d{1,3})?$/, 0.001, 10_000));
const noProxy = leaf('false, or url, username and password of a proxy', (value) => (value === 'false' ? (false as const) : undefined));

export const secretTypes = ['None', 'ImagePullSecret', 'Opaque'] as const;
const secretType = leaf('None, ImagePullSecret or Opaque', (value) => secretTypes.find((type) => type === value));

const secretSchema = v.strictObject(
  {
    type: requiredKey(
      secretType,
      'Where the credential comes from: `None`, `ImagePullSecret` (a mounted docker config), `Opaque` (a token)',
    ),
    mountPath: key(path, '`ImagePullSecret`: the folder with `.dockerconfigjson` or `.dockercfg`; read again when it changes'),
    name: key(text, 'Read by the chart only', { ignored: true }),
    key: key(text, 'Read by the chart only', { ignored: true }),
    username: key(text, '`Opaque`: the user to whom the token belongs; without it the token is sent as a bearer', { secret: true }),
    token: key(text, '`Opaque`: password or bearer token', { secret: true }),
  },
  'type and what belongs to it',
);

const proxySchema = v.strictObject(
  {
    url: requiredKey(url, 'Address of the proxy'),
    username: key(text, 'User of the proxy', { secret: true }),
    password: key(text, 'Password of the proxy', { secret: true }),
  },
  'url, username and password of a proxy',
);

const mirrorSchema = v.strictObject(
  {
    url: requiredKey(url, 'Address of the mirror'),
    sendsNamespace: key(boolean, 'The mirror wants `?ns=<registry>`', { default: 'false' }),
  },
  'a URL, or url and sendsNamespace',
);

const limitsSchema = v.strictObject(
  {
    concurrent: key(wholeNumber, 'Calls at one time'),
    requestsPerSecond: key(rate, 'Calls in a second, on average'),
    burst: key(wholeNumber, 'Calls at once before that counts'),
  },
  'concurrent, requestsPerSecond and burst',
);

/** One entry of `registries`. */
export const registrySchema = v.strictObject(
  {
    hostnamePattern: requiredKey(glob, 'Case-sensitive glob over the whole name of the registry with its port; `*` matches dots too'),
    repositoryPrefix: key(word, 'Counts only for repositories that begin so'),
    secret: requiredKey(secretSchema, 'The credential', { secret: true }),
    insecure: key(boolean, 'Plain HTTP', { default: 'false' }),
    allowPrivate: key(boolean, 'Its redirects and its token endpoint may have private and loopback addresses', { default: 'false' }),
    caCertificatePaths: key(v.array(path, 'a list of paths'), 'PEM files with authorities for this registry; read again when they change'),
    clientCertificatePath: key(path, 'PEM file with the client certificate'),
    clientKeyPath: key(path, 'PEM file with its private key'),
    serverName: key(word, 'Name in the certificate of the registry, where it differs from the host'),
    insecureSkipVerify: key(boolean, 'The certificate of the registry is NOT checked', { default: 'false' }),
    proxy: key(
      v.union([noProxy, proxySchema], 'false, or url, username and password of a proxy'),
      'Proxy for this registry; `false`: none, whatever the environment says',
    ),
    mirrors: key(v.array(v.union([url, mirrorSchema], 'a URL, or url and sendsNamespace'), 'a list of mirrors'), 'Asked first, in order'),
    limits: key(limitsSchema, 'How fast it may be asked'),
  },
  'an entry with hostnamePattern and secret',
);

export type RegistryEntry = v.InferOutput<typeof registrySchema>;

function numberFrom(value: string, form: RegExp, least: number, most: number): number | undefined {
  const number = form.test(value) ? Number(value) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** Without a trailing slash, so that paths can be appended. */
function httpUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const parsed = new URL(value);
  const isPlain = parsed.username === '' && parsed.password === '' && parsed.search === '' && parsed.hash === '';
  return isPlain && /^https?:$/.test(parsed.protocol) ? parsed.href.replace(/\/+$/, '') : undefined;
}
