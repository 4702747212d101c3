const line = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The sum of a metric's samples that have all these labels; 0 when there is none. */
export function sumOf(text: string, name: string, wanted: Readonly<Record<string, string>> = {}): number {
  let sum = 0;
  for (const row of text.split('\n')) {
    const groups = line.exec(row)?.groups;
    if (groups?.['name'] !== name) continue;
    const labels = new Map([...(groups['labels'] ?? '').matchAll(label)].map(([, key = '', value = '']) => [key, value]));
    if (Object.entries(wanted).every(([key, value]) => labels.get(key) === value)) sum += Number(groups['value']);
  }
  return sum;
}
