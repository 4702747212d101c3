import type { TagKind } from './tag.ts';

/** The numbers of a tag: a date, or one to four numbers with dots between them. */
export interface TagNumbers {
  readonly kind: TagKind;
  readonly core: readonly bigint[];
  /** Count of numbers, or the format of a date with `#` for each digit. */
  readonly precision: string | number;
  /** Length of their text. */
  readonly length: number;
}

// Year 1990 to 2199 and plausible month, day and time; one separator within the day and one within the time.
const datePattern =
  /^(?:199|20\d|21\d)\d([-_]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:[T\-_.](?:[01]\d|2[0-3])([-_.]?)[0-5]\d(?:\2[0-5]\d)?Z?)?(?=$|[-_.])/;
const shortestDate = 'YYYYMMDD'.length;
const mostComponents = 4;
const longDigits = 5;

/** Reads the numbers at the beginning of `body`; undefined when there are none, or more than four. */
export function readNumbers(body: string): TagNumbers | undefined {
  return readDate(body) ?? readCore(body);
}

function readDate(body: string): TagNumbers | undefined {
  const date = body.length < shortestDate ? undefined : datePattern.exec(body)?.[0];
  if (date === undefined) return undefined;
  return { kind: 'date', core: [BigInt(date.replace(/\D/g, ''))], precision: date.replace(/\d/g, '#'), length: date.length };
}

// Walks over the characters: every tag of every list comes by here.
function readCore(body: string): TagNumbers | undefined {
  const core: bigint[] = [];
  let end = 0;
  for (let start = 0; ; start = end + 1) {
    const next = endOfDigits(body, start);
    if (next === start) break;
    if (core.length === mostComponents) return undefined;
    core.push(BigInt(body.slice(start, next)));
    end = next;
    if (body.charAt(end) !== '.') break;
  }
  if (core.length === 0) return undefined;
  return { kind: kindOf(core.length, endOfDigits(body, 0), body), core, precision: core.length, length: end };
}

function kindOf(components: number, firstLength: number, body: string): TagKind {
  if (components === 1 && firstLength >= longDigits) return 'long';
  const isYear = firstLength === 4 && body >= '1900' && body < '2200';
  return isYear ? 'cal' : 'ver';
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** `0` to `9`; false for the NaN beyond the end of a text. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
