/** The clause of a registry that is left alone for a moment; what it says of the last time is the failure itself. */
const leftAlone = /\S+ failed several times in a row and is asked again in \d+ s(; the last time: )?/;
const request = /\b(HEAD|GET|POST) https?:\/\/\S+: /;
const seconds = /\b\d+ s\b/g;

/**
 * What is told once per change is told again when this changes: how long a registry is still left alone, and whether it was asked or not
 * this time, is no news while it fails as before.
 */
export function newsIn(message: string): string {
  return message.replace(leftAlone, '').replace(request, '').replace(seconds, 'some s');
}
