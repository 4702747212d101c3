/** The target of the first link with `rel="next"` (RFC 8288), as written. Total: what is malformed is no link. */
export function parseNextLink(header: string | undefined): string | undefined {
  for (const [, target = '', parameters = ''] of (header ?? '').matchAll(linkPattern)) {
    if (relationsOf(parameters).includes('next')) return target.trim();
  }
  return undefined;
}

/** Of several `rel` the first counts; one inside the quotes of another parameter is text. */
function relationsOf(parameters: string): readonly string[] {
  for (const [, name = '', quoted, bare = ''] of parameters.matchAll(parameterPattern)) {
    if (name.toLowerCase() === 'rel') return (quoted ?? bare).toLowerCase().split(/\s+/);
  }
  return [];
}

// A quote that is never closed takes the rest with it: looked for again from every link, it would take seconds.
const linkPattern = /<([^<>]*)>((?:[^",<]|"(?:[^"\\]|\\.)*(?:"|\\?$))*)/gs;
const parameterPattern = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s;,"]*)))?/gs;

/** Where the next page is, as far as a registry may decide that. */
export type NextPage = { readonly url: URL } | { readonly offHost: string } | { readonly invalid: string };

/**
 * Resolves a link against the URL that was asked. It must stay on scheme, host and port.
 * A link to another path has lost a prefix on its way through a virtual repository: only its position counts.
 */
export function nextPageOf(link: string, asked: URL): NextPage {
  const url = URL.parse(link, asked.href);
  if (!url) return { invalid: 'a link that is not a URL' };
  if (url.origin !== asked.origin || url.username !== '' || url.password !== '') return { offHost: url.origin };
  url.hash = '';
  if (decoded(url.pathname) === decoded(asked.pathname)) return { url };
  const last = url.searchParams.get('last');
  if (last === null) return { invalid: 'a link to another path' };
  const own = new URL(asked);
  own.search = '';
  const n = url.searchParams.get('n') ?? asked.searchParams.get('n');
  if (n !== null) own.searchParams.set('n', n);
  own.searchParams.set('last', last);
  return { url: own };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
