import type { Event as YamlEvent, ScalarEvent } from 'js-yaml';
import { unquoted } from './unquoted.ts';
import { type Filled, findPlaceholders, type Variables } from './placeholders.ts';

/** A YAML document with the line of every part. Scalars are text: what they mean is the schema's to say. */
export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly line: number;
  readonly text: string;
  /** With the names of variables instead of what they hold: for messages. */
  readonly written: string;
  /** Written as nothing, `~` or `null`. */
  readonly isNull: boolean;
  /** A variable in it is not set, or an anchor is not there: nobody knows what it would be. */
  readonly isUnknown?: boolean;
}

export interface YamlList {
  readonly kind: 'list';
  readonly line: number;
  readonly items: YamlNode[];
}

export interface YamlMap {
  readonly kind: 'map';
  readonly line: number;
  readonly entries: YamlEntry[];
}

export interface YamlEntry {
  readonly key: string;
  /** The key with the names of variables instead of what they hold. */
  readonly written: string;
  readonly line: number;
  readonly value: YamlNode;
  /** Nobody knows what key it would be; that is a mistake already. */
  readonly isUnknown?: boolean;
}

export interface Mistake {
  /** 1 is the first; undefined: no line of its own. */
  readonly line: number | undefined;
  readonly message: string;
}

/** The document as far as it could be read, and everything that is wrong with it: `root` is good for finding further mistakes even then. */
export interface YamlDocument {
  readonly root: YamlNode | undefined;
  readonly mistakes: readonly Mistake[];
}

const maximumLength = 1024 * 1024;
const maximumNodes = 20_000;
const nullForms = new Set(['', '~', 'null', 'Null', 'NULL']);

/** One YAML document with `${NAME}` replaced in its keys and values; with every mistake. `variables` undefined: none may be used. */
export async function readYaml(source: string, variables: Variables | undefined): Promise<YamlDocument> {
  if (source.length > maximumLength) return { root: undefined, mistakes: [{ line: undefined, message: 'the text is longer than 1 MiB' }] };
  const yaml = await import('js-yaml');
  const placeholders = findPlaceholders(source, variables);
  const { text } = placeholders;
  let events: YamlEvent[];
  try {
    events = yaml.parseEvents(text, {});
  } catch (error) {
    if (!(error instanceof yaml.YAMLException)) throw error;
    const line = error.mark === undefined ? undefined : error.mark.line + 1;
    return { root: undefined, mistakes: [{ line, message: `this is no YAML: ${error.reason}${unquoted(text, line)}` }] };
  }
  const scalar = (event: ScalarEvent) => placeholders.fill(yaml.getScalarValue(text, event));
  return new TreeBuilder({ text, ids: yaml.EVENT_ID, plain: yaml.SCALAR_STYLE.PLAIN, scalar, mayUse: variables !== undefined }).build(
    events,
  );
}

interface Source {
  readonly text: string;
  readonly ids: typeof import('js-yaml')['EVENT_ID'];
  readonly plain: number;
  readonly scalar: (event: ScalarEvent) => Filled;
  readonly mayUse: boolean;
}

/** A list or map that is being read; a map has its next key while the value is awaited. */
interface Open {
  readonly node: YamlList | YamlMap;
  readonly anchor: string | undefined;
  key?: { readonly text: string; readonly written: string; readonly line: number; readonly isUnknown: boolean } | undefined;
}

class TreeBuilder {
  readonly #source: Source;
  readonly #lineStarts: readonly number[];
  readonly #mistakes: Mistake[] = [];
  readonly #anchors = new Map<string, YamlNode>();
  readonly #sizes = new WeakMap<YamlNode, number>();
  readonly #open: Open[] = [];
  #root: YamlNode | undefined;
  #documents = 0;
  #nodes = 0;
  #line = 1;

  constructor(source: Source) {
    this.#source = source;
    this.#lineStarts = [0, ...[...source.text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length)];
  }

  build(events: readonly YamlEvent[]): YamlDocument {
    for (const event of events) this.#take(event);
    if (this.#documents > 1) this.#wrong(undefined, 'there is more than one document; write one, without "---" between its parts');
    if (this.#nodes > maximumNodes) this.#wrong(undefined, `there are more than ${maximumNodes} values`);
    // What aliases stand for may be endless: nobody may walk through it.
    return { root: this.#nodes > maximumNodes ? undefined : this.#root, mistakes: this.#mistakes };
  }

  #take(event: YamlEvent): void {
    const { ids } = this.#source;
    if (event.type === ids.DOCUMENT) this.#documents += 1;
    else if (event.type === ids.POP) this.#close();
    else if (event.type === ids.SCALAR) this.#takeScalar(event);
    else if (event.type === ids.ALIAS) this.#takeAlias(this.#between(event.anchorStart, event.anchorEnd), this.#lineOf(event.anchorStart));
    else this.#openNode(event.type === ids.SEQUENCE ? 'list' : 'map', event);
  }

  #openNode(kind: 'list' | 'map', { start, anchorStart, anchorEnd }: { start: number; anchorStart: number; anchorEnd: number }): void {
    const line = this.#lineOf(start);
    this.#open.push({
      node: kind === 'list' ? { kind, line, items: [] } : { kind, line, entries: [] },
      anchor: this.#between(anchorStart, anchorEnd),
    });
  }

  #close(): void {
    const done = this.#open.pop();
    if (done) this.#put(done.node, done.anchor);
  }

  #takeScalar(event: ScalarEvent): void {
    const { text: filled, written, substituted, missing } = this.#source.scalar(event);
    const line = this.#lineOf(event.valueStart);
    for (const name of new Set(missing)) this.#wrong(line, this.#missing(name));
    const isPlain = event.style === this.#source.plain;
    // Variables that come from files end with a line break; a text without quotes never does.
    const text = isPlain && substituted ? filled.trim() : filled;
    const isNull = isPlain && !substituted && nullForms.has(text);
    const parent = this.#open.at(-1);
    if (parent?.node.kind === 'map' && parent.key === undefined) parent.key = { text, written, line, isUnknown: missing.length > 0 };
    else
      this.#put(
        { kind: 'scalar', line, text, written, isNull, isUnknown: missing.length > 0 },
        this.#between(event.anchorStart, event.anchorEnd),
      );
  }

  #takeAlias(name: string | undefined, line: number): void {
    const node = this.#anchors.get(name ?? '');
    if (node) this.#put(node, undefined);
    else {
      const written = `*${name ?? ''}`;
      this.#wrong(line, `there is no anchor &${name ?? ''} above this line; for the text "${written}" write it in quotes`);
      this.#put({ kind: 'scalar', line, text: written, written, isNull: false, isUnknown: true }, undefined);
    }
  }

  #put(node: YamlNode, anchor: string | undefined): void {
    // An alias counts with all it stands for: a few of them, each of the one before, would be more than any memory holds.
    const size = this.#sizes.get(node) ?? 1 + childrenOf(node).reduce((sum, child) => sum + (this.#sizes.get(child) ?? 1), 0);
    this.#sizes.set(node, size);
    this.#nodes = Math.max(this.#nodes, size);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = node;
    else if (parent.node.kind === 'list') parent.node.items.push(node);
    else this.#putEntry(parent, parent.node, node);
  }

  #putEntry(parent: Open, map: YamlMap, value: YamlNode): void {
    if (parent.key === undefined) {
      this.#wrong(value.line, 'a key must be a text, not a list or map');
      parent.key = { text: '', written: '', line: value.line, isUnknown: true };
      return;
    }
    const { text: key, written, line, isUnknown } = parent.key;
    parent.key = undefined;
    const earlier = map.entries.find((entry) => entry.key === key);
    if (earlier) this.#wrong(line, `"${written}" stands in line ${earlier.line} already; write it once`);
    else map.entries.push({ key, written, line, value, isUnknown });
  }

  #missing(name: string): string {
    const used = `\${${name}} is used, but`;
    if (!this.#source.mayUse)
      return `${used} variables of the environment may be used in the file only, not in a ConfigMap; write the value, or name a file`;
    const hint = name.includes(':-') ? ' (the whole text between the braces is the name; there is no form with a default)' : '';
    return `${used} the environment variable ${name} is not set; set it, or remove it from the file${hint}`;
  }

  #wrong(line: number | undefined, message: string): void {
    this.#mistakes.push({ line, message });
  }

  #between(start: number, end: number): string | undefined {
    return start < 0 ? undefined : this.#source.text.slice(start, end);
  }

  /** Of an offset; of a value that is not there (offset −1) the line of the part before it. */
  #lineOf(offset: number): number {
    if (offset < 0) return this.#line;
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    this.#line = low + 1;
    return this.#line;
  }
}

function childrenOf(node: YamlNode): readonly YamlNode[] {
  if (node.kind === 'scalar') return [];
  return node.kind === 'list' ? node.items : node.entries.map(({ value }) => value);
}
