import type { HttpContext } from './app.ts';
import { HttpProblem } from './problem.ts';

/** Refuses a changing request that a browser made for another site, in every authentication mode. Throws HttpProblem. */
export function refuseCrossSite(c: HttpContext, ownUrls: readonly string[]): void {
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
