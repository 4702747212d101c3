import { isLegalTag } from '../core/candidate.ts';
import type { PolicyInput } from '../core/choose.ts';
import { compileGlob, type Glob } from '../core/glob.ts';
import { type InvalidPolicy, type Policy, parsePolicy } from '../core/policy.ts';

/** One question to the policy engine, as `headwind simulate` reads it from flags or a file. */
export interface SimulationCase {
  readonly name: string | null;
  readonly input: PolicyInput;
}

/** What is wrong with one field of a case. */
export interface FieldMistake {
  readonly field: string;
  readonly message: string;
}

type FieldKind = 'text' | 'texts' | 'flag';
const fieldKinds: Readonly<Record<string, FieldKind>> = {
  name: 'text',
  policy: 'text',
  pattern: 'text',
  current: 'text',
  tags: 'texts',
  event: 'text',
  digestChanged: 'flag',
  allowPrerelease: 'flag',
  adopt: 'flag',
  ignore: 'texts',
  matchTag: 'flag',
  order: 'text',
  strictSemver: 'flag',
  chart: 'flag',
};
const orders = ['alphabetical', 'created'] as const;

/** Reads cases. In YAML every scalar arrives as text, so `true` and `false` are read from text there. */
export interface CaseReader {
  read(value: unknown): SimulationCase | readonly FieldMistake[];
}

/** A reader that parses each policy once, however many cases have it. */
export function caseReader(options: { scalarsAreText: boolean }): CaseReader {
  const policies = new Map<string, Policy | InvalidPolicy>();
  const parse = (text: string, pattern: string | undefined): Policy | InvalidPolicy => {
    const key = JSON.stringify([text, pattern]);
    const policy = policies.get(key) ?? parsePolicy(text, pattern);
    policies.set(key, policy);
    return policy;
  };
  return { read: (value) => readCase(value, options.scalarsAreText, parse) };
}

interface Fields {
  readonly texts: Map<string, string>;
  readonly lists: Map<string, readonly string[]>;
  readonly flags: Map<string, boolean>;
  readonly mistakes: FieldMistake[];
}

function readCase(
  value: unknown,
  scalarsAreText: boolean,
  parse: (text: string, pattern: string | undefined) => Policy | InvalidPolicy,
): SimulationCase | readonly FieldMistake[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ field: 'case', message: 'must be a mapping with at least policy and current' }];
  }
  const fields: Fields = { texts: new Map(), lists: new Map(), flags: new Map(), mistakes: [] };
  for (const [field, content] of Object.entries(value)) readField(fields, field, content, scalarsAreText);
  const policy = readPolicy(fields, parse);
  const current = readCurrent(fields);
  const order = readOrder(fields);
  const ignore = readIgnored(fields);
  if (fields.mistakes.length > 0 || policy === undefined || current === undefined) return fields.mistakes;
  const { texts, lists, flags } = fields;
  const input = {
    policy,
    current,
    tags: lists.get('tags') ?? [],
    event: texts.get('event'),
    ignore,
    order,
    digestChanged: flags.get('digestChanged'),
    allowPrerelease: flags.get('allowPrerelease'),
    adopt: flags.get('adopt'),
    matchTag: flags.get('matchTag'),
    strictSemver: flags.get('strictSemver'),
    chart: flags.get('chart'),
  };
  return { name: texts.get('name') ?? null, input };
}

function readField({ texts, lists, flags, mistakes }: Fields, field: string, content: unknown, scalarsAreText: boolean): void {
  const kind = Object.hasOwn(fieldKinds, field) ? fieldKinds[field] : undefined;
  if (kind === undefined) mistakes.push({ field, message: `unknown field; known are ${Object.keys(fieldKinds).join(', ')}` });
  else if (field === 'name' && content === null) return;
  else if (kind === 'text') {
    if (typeof content === 'string') texts.set(field, content);
    else mistakes.push({ field, message: 'must be a string' });
  } else if (kind === 'texts') {
    if (isTexts(content)) lists.set(field, content);
    else mistakes.push({ field, message: 'must be a list of strings' });
  } else {
    const flag = scalarsAreText && (content === 'true' || content === 'false') ? content === 'true' : content;
    if (typeof flag === 'boolean') flags.set(field, flag);
    else mistakes.push({ field, message: 'must be true or false' });
  }
}

function isTexts(content: unknown): content is readonly string[] {
  return Array.isArray(content) && content.every((item) => typeof item === 'string');
}

function readPolicy(
  { texts, mistakes }: Fields,
  parse: (text: string, pattern: string | undefined) => Policy | InvalidPolicy,
): Policy | undefined {
  const text = texts.get('policy');
  if (text === undefined) {
    if (!mistakes.some(({ field }) => field === 'policy')) mistakes.push({ field: 'policy', message: 'is missing' });
    return undefined;
  }
  const policy = parse(text, texts.get('pattern'));
  if (!('invalid' in policy)) return policy;
  const field = 'invalid' in parse(text, undefined) ? 'policy' : 'pattern';
  mistakes.push({ field, message: policy.invalid });
  return undefined;
}

/** A tag, with or without a digest; empty stands for an image that has no tag. */
function readCurrent({ texts, mistakes }: Fields): string | undefined {
  const current = texts.get('current');
  if (current === undefined) {
    if (!mistakes.some(({ field }) => field === 'current')) mistakes.push({ field: 'current', message: 'is missing' });
    return undefined;
  }
  const at = current.indexOf('@');
  const tag = at < 0 ? current : current.slice(0, at);
  const isLegal = (tag === '' || isLegalTag(tag)) && (at < 0 || /^[A-Za-z0-9+._-]+:[A-Za-z0-9=_-]+$/.test(current.slice(at + 1)));
  if (!isLegal) mistakes.push({ field: 'current', message: `${JSON.stringify(current.slice(0, 60))} is no legal tag` });
  return current;
}

function readOrder({ texts, mistakes }: Fields): (typeof orders)[number] | undefined {
  const text = texts.get('order');
  const order = orders.find((known) => known === text);
  if (text !== undefined && order === undefined) mistakes.push({ field: 'order', message: `must be ${orders.join(' or ')}` });
  return order;
}

function readIgnored({ lists, mistakes }: Fields): Glob[] {
  const globs: Glob[] = [];
  for (const pattern of lists.get('ignore') ?? []) {
    const glob = compileGlob(pattern);
    if ('invalid' in glob) mistakes.push({ field: 'ignore', message: glob.invalid });
    else globs.push(glob);
  }
  return globs;
}
