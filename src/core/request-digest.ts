import { effectiveTag, parseImageReference } from './image-reference.ts';
import { isForPerson } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';

/** Which digest a request covers, and what the registry is to be asked for it. */

/** The digest that an image is pinned to. */
export function digestOf(image: string): string | undefined {
  const reference = parseImageReference(image);
  return 'invalid' in reference ? undefined : reference.digest;
}

export function withoutDigest(image: string): string {
  return image.replace(/@.*$/s, '');
}

/**
 * What the registry is to be asked for the new image: the tag, so that nobody gets another image past the policy by a digest. A digest that a
 * person wrote, and that a person decides on, is what they want, wherever the tag points.
 */
export function referenceToConfirm(request: UpdateRequest): string {
  const reference = parseImageReference(request.spec.newImage);
  if ('invalid' in reference) return '';
  const pinned = request.spec.newDigest === undefined && isForPerson(request) ? reference.digest : undefined;
  return pinned ?? effectiveTag(reference) ?? reference.digest ?? '';
}
