import type { Answer } from './answer.ts';
import { parseJsonObject } from './json.ts';
import { formOf, isSchema1, mediaTypeOf } from './media-type.ts';

/** A manifest by what its bytes and its header say, before anybody looks inside. */
export interface Manifest {
  readonly form: 'index' | 'image';
  readonly content: Readonly<Record<string, unknown>>;
  /** Header and body name different kinds: one of them was changed on its way. */
  readonly isDisputed: boolean;
}

/** Why a body is no manifest that anybody may rely on. */
export type NoManifest = { readonly unsupported: string } | { readonly broken: string };

export const schema1 = { unsupported: 'an unsupported schema 1 image' } as const;

/** What kind of manifest the answer is: the body's own word counts before the header's, and its members last. */
export function readManifest(answer: Pick<Answer, 'headers' | 'body'>): Manifest | NoManifest {
  const content = parseJsonObject(answer.body);
  if (!content) return { broken: answer.body.length === 0 ? 'an empty answer' : 'something that is not a manifest' };
  const header = mediaTypeOf(answer.headers['content-type']);
  const own = typeof content['mediaType'] === 'string' ? content['mediaType'].toLowerCase() : '';
  if (isSchema1(own || header) || content['schemaVersion'] === 1) return schema1;
  if (own !== '' && formOf(own) === undefined) return { unsupported: `a manifest of an unknown kind (${own.slice(0, 100)})` };
  // Whoever reads it decides then what it is: two programs would run two different images.
  if ('manifests' in content && ('config' in content || 'layers' in content))
    return { broken: 'a manifest that is index and image at once' };
  const form = formOf(own) ?? formOf(header) ?? sniffedForm(content);
  if (form === undefined) return { broken: 'a JSON object that is not a manifest' };
  return { form, content, isDisputed: own !== '' && formOf(header) !== undefined && own !== header };
}

function sniffedForm(content: Readonly<Record<string, unknown>>): Manifest['form'] | undefined {
  if (Array.isArray(content['manifests'])) return 'index';
  return 'config' in content ? 'image' : undefined;
}
