/** Where a value without quotes begins with a character that YAML keeps for itself. */
const reserved = /(?:^\s*-|[:,]|[[{])\s+([*@`%])|[[{]([*@`%])/;

/** The remedy for the most frequent reason why a line is no YAML, `cronSchedule: *\/45 * * * * *`; empty when it is another one. */
export function unquoted(text: string, line: number | undefined): string {
  const found = reserved.exec(text.split(/\r\n|\n|\r/)[(line ?? 0) - 1] ?? '');
  return found ? `; a text that begins with ${found[1] ?? found[2]} must be in quotes` : '';
}
