/**
 * Which keys of a docker configuration count for an image, exactly as the kubelet decides it
 * (k8s.io/kubernetes pkg/credentialprovider/keyring.go).
 */
export interface RegistryKey {
  /** Normal form: `host[:port][/path]`, the text that is sorted. */
  readonly text: string;
  readonly labels: readonly string[];
  readonly port: string;
  readonly path: string;
}

/** The key's normal form; undefined when it names no host. */
export function parseRegistryKey(key: string): RegistryKey | undefined {
  const rest = key.replace(/^https?:\/\//, '');
  const slash = rest.search(/[/#]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host === '' || /[\s\\%]/.test(host)) return undefined;
  const path = slash < 0 ? '' : rest.slice(slash).replace(/[?#].*$/s, '');
  const effective = /^\/v[12]\//.test(path) ? path.slice('/v1'.length) : path;
  return splitKey(host, effective === '/' ? '' : effective);
}

/** Do host, port and path of the key cover the image `host[:port]/repository`? */
export function keyMatches(key: RegistryKey, image: RegistryKey): boolean {
  return (
    key.port === image.port &&
    key.labels.length === image.labels.length &&
    image.path.startsWith(key.path) &&
    key.labels.every((label, index) => labelMatches(label, image.labels[index] ?? ''))
  );
}

/** Does the path end in the middle of a name: `ghcr.io/acme` also covers `ghcr.io/acme-evil/app`? */
export function coversForeignNames(key: RegistryKey, image: RegistryKey): boolean {
  return key.path !== '' && !key.path.endsWith('/') && image.path !== key.path && image.path[key.path.length] !== '/';
}

/** Go's `sort.Reverse` over strings: by bytes, the longer of two with one prefix first. */
export function compareKeysReversed(left: RegistryKey, right: RegistryKey): number {
  return Buffer.compare(Buffer.from(right.text), Buffer.from(left.text));
}

export function splitKey(host: string, path: string): RegistryKey {
  const colon = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(host);
  const bare = colon?.[1] ?? host;
  const name = colon && bare.startsWith('[') ? bare.slice(1, -1) : bare;
  return { text: host + path, labels: name.split('.'), port: colon?.[2] ?? '', path };
}

/** Go's `filepath.Match` on one label: `*`, `?`, `[a-z]`, `[^a]`. A malformed pattern matches only itself. */
export function labelMatches(pattern: string, label: string): boolean {
  if (pattern === label) return true;
  if (!/[*?[]/.test(pattern)) return false;
  const tokens = tokenize(pattern);
  return tokens !== undefined && matchTokens(tokens, label);
}

type Token = '*' | ((character: string) => boolean);

function tokenize(pattern: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const set = /^\[(\^?)([^\]]+)\]/.exec(pattern.slice(at));
      if (!set) return undefined;
      tokens.push(characterSet(set[2] ?? '', set[1] === '^'));
      at += set[0].length - 1;
    } else tokens.push((other) => other === character);
  }
  return tokens;
}

function characterSet(text: string, negated: boolean): (character: string) => boolean {
  const ranges = [...text.matchAll(/(.)-(.)|(.)/gs)].map(([, from, to, single = '']) => [from ?? single, to ?? single] as const);
  return (character) => ranges.some(([from, to]) => character >= from && character <= to) !== negated;
}

/** Linear in practice: on a mismatch only the last `*` takes one character more. */
function matchTokens(tokens: readonly Token[], text: string): boolean {
  let [at, star, starAt] = [0, -1, 0];
  let index = 0;
  while (at < text.length) {
    const token = tokens[index];
    if (token === '*') {
      [star, starAt] = [index++, at];
    } else if (token?.(text.charAt(at))) {
      index++;
      at++;
    } else if (star >= 0) {
      [index, at] = [star + 1, ++starAt];
    } else return false;
  }
  return tokens.slice(index).every((token) => token === '*');
}
