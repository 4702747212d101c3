import { type Delivery, maximumElements, toDelivery } from '../core/delivery.ts';
import { isObject, member, textMember } from '../core/json.ts';
import { splitImage, toHint } from './hint.ts';

/** The forms that people send by hand and from CI. */

/** `{repository, tag, image?, digest?}`: `image`, when present, is the full reference and wins. */
export function parseFlat(body: unknown): Delivery {
  return toDelivery('flat', [parseImageForm('flat', textMember(body, 'image') ?? textMember(body, 'repository'), body)]);
}

/** `{name, tag, host?, digest?}`, or an array of it. */
export function parseNative(bodies: readonly unknown[]): Delivery {
  return toDelivery('native', bodies.slice(0, maximumElements).map(parseNativeItem));
}

/** `{images: [{image, tag, digest?} | {ref}]}`, or one `{ref}`. */
export function parseGeneric(items: readonly unknown[]): Delivery {
  return toDelivery(
    'generic',
    items.slice(0, maximumElements).map((item) => parseImageForm('generic', textMember(item, 'ref') ?? textMember(item, 'image'), item)),
  );
}

/** Is it one push in the native form? */
export function isNative(value: unknown): boolean {
  return isObject(value) && typeof value['name'] === 'string' && member(value, 'tag') !== undefined;
}

function parseNativeItem(item: unknown) {
  const host = textMember(item, 'host');
  const name = textMember(item, 'name');
  if (host === undefined || name === undefined) return parseImageForm('native', name, item);
  const tag = textMember(item, 'tag');
  if (tag === undefined) return missing('tag', item);
  return toHint({ provider: 'native', registry: host, repository: name, tag, digest: textMember(item, 'digest') });
}

function parseImageForm(provider: string, image: string | undefined, item: unknown) {
  if (image === undefined) return { problem: 'the name of the image is missing' };
  const parts = splitImage(image);
  if (parts === undefined) return { problem: 'the image reference is not valid' };
  const tag = textMember(item, 'tag') ?? parts.tag;
  if (tag === undefined) return missing('tag', item);
  return toHint({ provider, repository: parts.repository, tag, digest: textMember(item, 'digest') ?? parts.digest });
}

/** No tag at all (a push by digest) is no concern of ours; a tag that is no text is a mistake of the sender. */
function missing(name: string, item: unknown): 'ignored' | { problem: string } {
  const value = member(item, name);
  return value === undefined || value === null || value === '' ? 'ignored' : { problem: `${name} is not a text` };
}
