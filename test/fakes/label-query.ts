/** Does an object with these labels match the `labelSelector` of a query? Knows what Kubernetes knows: `a=b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b)`. */
export function matchesLabels(labels: Readonly<Record<string, string>>, labelSelector: string): boolean {
  return split(labelSelector).every((requirement) => matchesOne(labels, requirement));
}

function matchesOne(labels: Readonly<Record<string, string>>, requirement: string): boolean {
  const set = /^(?<key>\S+) (?<operator>in|notin) \((?<values>.*)\)$/.exec(requirement)?.groups;
  if (set) {
    const value = labels[set['key'] ?? ''];
    const isIn = value !== undefined && (set['values'] ?? '').split(',').includes(value);
    return set['operator'] === 'in' ? isIn : !isIn;
  }
  const equality = /^(?<key>[^!=]+)(?<operator>!=|==?)(?<value>.*)$/.exec(requirement)?.groups;
  if (equality) return (labels[equality['key'] ?? ''] === equality['value']) === (equality['operator'] !== '!=');
  return requirement.startsWith('!') ? labels[requirement.slice(1)] === undefined : labels[requirement] !== undefined;
}

/** At commas that are not between parentheses. */
function split(labelSelector: string): string[] {
  return labelSelector.split(/,(?![^(]*\))/).filter((requirement) => requirement !== '');
}
