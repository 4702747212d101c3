/** Is this text an abbreviated or full commit hash? Only digits is a number, only letters is a word: neither counts. */
export function isCommitHash(text: string): boolean {
  return text.length >= 7 && text.length <= 40 && /^[0-9a-f]+$/.test(text) && /[a-f]/.test(text) && /[0-9]/.test(text);
}

/** The same for a part of a tag, where `git describe` writes a `g` in front: `1.2.3-5-g1a2b3c4`. */
export function isHashSegment(segment: string): boolean {
  return isCommitHash(segment) || /^g[0-9a-f]{7,40}$/.test(segment);
}
