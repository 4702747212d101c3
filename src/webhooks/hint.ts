import { isDigest, isTag, parseImageReference } from '../core/image-reference.ts';
import type { PushHint } from '../core/push-hint.ts';

/** What a sender says about one push, as texts of unknown quality. */
export interface Claim {
  readonly provider: string;
  readonly deliveryId?: string | undefined;
  /** Host with optional port; without it the first part of `repository` may be the host, else Docker Hub is meant. */
  readonly registry?: string | undefined;
  readonly repository: string;
  readonly tag: string;
  readonly digest?: string | undefined;
}

const maximumIdLength = 200;
const scheme = /^(?:https?|oci|docker):\/\//i;
const dotlessHost = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** A claim → a hint in lower case with Docker Hub's `library/`, or what is wrong with it. */
export function toHint(claim: Claim): PushHint | { readonly problem: string } {
  const place = claim.registry === undefined ? placeOf(claim.repository) : placeAt(claim.registry, claim.repository);
  if ('problem' in place) return place;
  if (!isTag(claim.tag)) return { problem: 'the tag is not valid' };
  const digest = claim.digest?.toLowerCase();
  const id = claim.deliveryId;
  return {
    provider: claim.provider,
    ...(id !== undefined && id.length <= maximumIdLength ? { deliveryId: id } : {}),
    registry: place.registry,
    repository: place.repository,
    tag: claim.tag,
    ...(digest !== undefined && isDigest(digest) ? { digest } : {}),
  };
}

/** The full reference of an image with its tag in the letters it was written in; undefined when it cannot be parsed. */
export function splitImage(written: string): { readonly repository: string; readonly tag?: string; readonly digest?: string } | undefined {
  const image = withoutScheme(written);
  const reference = parseImageReference(image.toLowerCase());
  if ('invalid' in reference) return undefined;
  const { registry, repository, tag, digest } = reference;
  const tagEnd = image.length - (digest === undefined ? 0 : digest.length + 1);
  return {
    repository: `${registry}/${repository}`,
    ...(tag === undefined ? {} : { tag: image.slice(tagEnd - tag.length, tagEnd) }),
    ...(digest === undefined ? {} : { digest }),
  };
}

interface Place {
  readonly registry: string;
  readonly repository: string;
}

function placeOf(name: string): Place | { readonly problem: string } {
  const reference = parseImageReference(withoutScheme(name).toLowerCase());
  return 'invalid' in reference ? { problem: 'the repository is not valid' } : reference;
}

/** A host without dot or port (`registry`) cannot stand in an image reference, but must not be taken for a part of the path either. */
function placeAt(host: string, name: string): Place | { readonly problem: string } {
  const registry = withoutScheme(host).toLowerCase();
  const reference = parseImageReference(`${dotlessHost.test(registry) ? 'localhost' : registry}/${name.toLowerCase()}`);
  if ('invalid' in reference || reference.tag !== undefined || reference.digest !== undefined) {
    return { problem: 'the registry or the repository is not valid' };
  }
  return { registry, repository: reference.repository };
}

/** People copy addresses; in a payload there is no doubt what is meant. */
function withoutScheme(text: string): string {
  return text.replace(scheme, '');
}
