import type { ServerResponse } from 'node:http';
import type { StoredManifest } from './registry-content.ts';
import { type RecordedRequest, sendError } from './registry-wire.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';

/** `GET /v2/<name>/referrers/<digest>`; pages of ten. */
export function answerReferrers(
  request: RecordedRequest,
  response: ServerResponse,
  manifests: readonly StoredManifest[],
  mode: 'served' | 'filtered' | 'absent' | 'page',
): void {
  if (mode === 'absent') return sendError(response, 404, 'UNSUPPORTED');
  if (mode === 'page') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
  const url = new URL(request.url, 'http://registry');
  const wanted = mode === 'filtered' ? url.searchParams.get('artifactType') : null;
  const start = Number(url.searchParams.get('start') ?? 0);
  const all = manifests.map(asDescriptor).filter(({ artifactType }) => wanted === null || artifactType === wanted);
  const headers: Record<string, string> = { 'content-type': indexType };
  if (wanted !== null) headers['oci-filters-applied'] = 'artifactType';
  if (all.length > start + 10) {
    url.searchParams.set('start', String(start + 10));
    headers['link'] = `<${url.pathname}${url.search}>; rel="next"`;
  }
  const body = { schemaVersion: 2, mediaType: indexType, manifests: all.slice(start, start + 10) };
  response.writeHead(200, headers).end(JSON.stringify(body));
}

function asDescriptor({ digest, mediaType, body }: StoredManifest) {
  const manifest: { artifactType?: string; annotations?: object } = JSON.parse(body.toString());
  const { artifactType, annotations } = manifest;
  return { mediaType, digest, size: body.length, artifactType, annotations };
}
