import { compileGlob } from './glob.ts';
import { canonicalRepository, type ImageReference, repositoryAsWritten, withoutTagAndDigest } from './image-reference.ts';

/** Which containers of a workload the annotation `headwind.sh/images` means. */
export type ImageFilter = (container: string, reference: ImageReference) => boolean;

/**
 * Reads a comma list of globs (`*`, `?`). An item means a container when it matches its name or its image: the repository with
 * its registry as written, without registry, in canonical form, or, for an item without `/`, its last component.
 * An empty list means every container; a tag or digest in an item is ignored.
 */
export function parseImageFilter(text: string): ImageFilter {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(matcher);
  if (items.length === 0) return () => true;
  return (container, reference) => items.some((matches) => matches(container, reference));
}

function matcher(item: string): ImageFilter {
  const glob = compileGlob(withoutTagAndDigest(item).replace(/[[\]{}\\]/g, '\\$&'));
  if ('invalid' in glob) return (container) => container === item;
  const hasPath = item.includes('/');
  return (container, reference) => {
    if (glob.matches(container)) return true;
    const written = repositoryAsWritten(reference);
    const names = [written.name, written.path, reference.repository, canonicalRepository(reference)];
    if (!hasPath) names.push(reference.repository.slice(reference.repository.lastIndexOf('/') + 1));
    return names.some((name) => glob.matches(name));
  };
}
