/** The kinds of manifest that are asked for: an index lists images by platform. */
const forms: Readonly<Record<string, 'index' | 'image'>> = {
  'application/vnd.oci.image.index.v1+json': 'index',
  'application/vnd.docker.distribution.manifest.list.v2+json': 'index',
  'application/vnd.oci.image.manifest.v1+json': 'image',
  'application/vnd.docker.distribution.manifest.v2+json': 'image',
};

/** Without all four a registry answers 404, or rewrites an index to one platform under another digest. */
export const manifestAccept = Object.keys(forms).join(', ');

/** What a media type stands for; undefined for everything that is no manifest of today. */
export function formOf(type: string): 'index' | 'image' | undefined {
  return Object.hasOwn(forms, type) ? forms[type] : undefined;
}

/** The media type of a header, without parameters, in lower case. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The manifests of before 2016, whose digest nobody pulls by. */
export function isSchema1(type: string): boolean {
  return type.startsWith('application/vnd.docker.distribution.manifest.v1+');
}
