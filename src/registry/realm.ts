/** A token endpoint that a challenge may lead to. */
export interface Realm {
  readonly url: URL;
  /** It is on the registry's own host, so the rules for a host that a user named apply. */
  readonly isOwnHost: boolean;
}

const longestRealm = 2_048;

/**
 * Checks the realm of a challenge that came from `origin`: https, unless the registry itself speaks plain HTTP; no user name or password in it.
 * Addresses inside the network are refused when connecting, unless the realm is on the registry's host.
 */
export function parseRealm(realm: string, origin: URL): Realm | { readonly invalid: string } {
  const url = realm.length > longestRealm ? null : URL.parse(realm, origin.href);
  if (!url) return { invalid: 'the token endpoint of its challenge is not a URL' };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && origin.protocol === 'http:')) {
    return {
      invalid: `the token endpoint of its challenge has the scheme "${url.protocol}" although the registry speaks ${origin.protocol}`,
    };
  }
  if (url.username !== '' || url.password !== '') return { invalid: 'the token endpoint of its challenge holds a user name or password' };
  url.hash = '';
  return { url, isOwnHost: url.hostname === origin.hostname };
}
