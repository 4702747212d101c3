import { isIP } from 'node:net';
import type { HttpContext } from './app.ts';
import { HttpProblem } from './problem.ts';

/**
 * Refuses a request under a name that nobody gave to this API: a page whose own name was made to lead to this machine would be no other
 * site, and could read and change everything. Addresses, and names that only exist in a cluster or on a machine, are nobody else's page.
 */
export function refuseForeignName(c: HttpContext, ownUrls: readonly string[]): void {
  const name = nameOf(c.req.url);
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.') || localName.test(name)) return;
  if (ownUrls.some((url) => nameOf(url) === name)) return;
  throw new HttpProblem({
    status: 403,
    reason: 'ForeignName',
    sentence: 'This API is not published under the name it was called by; set HEADWIND_API_URL if it should be',
  });
}

const localName = /\.(localhost|svc|cluster\.local)$/;

function nameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase().replace(/\.$/, '') : '';
}

/** Refuses a changing request that a browser made for another site, in every authentication mode. Throws HttpProblem. */
export function refuseCrossSite(c: HttpContext, ownUrls: readonly string[]): void {
  refuseForeignName(c, ownUrls);
  const site = c.req.header('sec-fetch-site')?.toLowerCase();
  const origin = c.req.header('origin');
  const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (isForeignSite || (origin !== undefined && !isOwnOrigin(origin, c.req.url, ownUrls))) {
    throw new HttpProblem({
      status: 403,
      reason: 'CrossSite',
      sentence: 'This request comes from a page of another site; open the dashboard itself',
    });
  }
}

/** The address that was asked, or one under which we are published. Behind a proxy that ends TLS the scheme differs, so hosts are compared. */
function isOwnOrigin(origin: string, requestUrl: string, ownUrls: readonly string[]): boolean {
  const host = hostOf(origin);
  return host !== undefined && [requestUrl, ...ownUrls].some((url) => hostOf(url) === host);
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host || undefined : undefined;
}
