import { isIP } from 'node:net';
import {
  type LogLevel,
  logLevels,
  type SettingRow,
  settingForms,
  type SettingType,
  type VerifyMode,
  verifyModes,
} from './core/config-table.ts';
import { parseDuration } from './core/duration.ts';

/** Names and texts as the process got them. */
export type Source = Readonly<Record<string, string | undefined>>;

interface ValueTypes {
  text: string;
  boolean: boolean;
  /** Milliseconds. */
  interval: number;
  port: number;
  url: string;
  namespace: string;
  namespaces: readonly string[];
  resources: readonly string[];
  hosts: readonly string[];
  address: string;
  level: LogLevel;
  directive: string;
  objectName: string;
  verify: VerifyMode;
  authMode: 'none';
}

type Row<Type extends SettingType> = SettingRow & { readonly type: Type };

export interface SettingReader {
  readonly required: <Type extends SettingType>(row: Row<Type> & { readonly default: string }) => ValueTypes[Type];
  readonly optional: <Type extends SettingType>(row: Row<Type>) => ValueTypes[Type] | undefined;
  /** One sentence for each value that was read and is not valid. */
  readonly mistakes: string[];
}

const longestMs = 3650 * 86_400_000;
const namespacePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const objectNamePattern = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const resourcePattern = /^[a-z]+(\/[a-z]+)?(\.[a-z0-9.-]*[a-z0-9])?$/;
const hostPattern = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:\d{1,5})?$/;
const booleans = new Map([
  ['true', true],
  ['false', false],
]);
const laterAuthModes: readonly string[] = ['simple', 'token', 'proxy', 'oidc'];

const parsers: { readonly [Type in SettingType]: (text: string) => ValueTypes[Type] | undefined } = {
  text: (text) => text,
  directive: (text) => text,
  objectName: (text) => (objectNamePattern.test(text) && text.length <= 253 ? text : undefined),
  boolean: (text) => booleans.get(text),
  interval(text) {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= 1000 && ms <= longestMs ? ms : undefined;
  },
  port: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  url: parseBaseUrl,
  namespace: (text) => (namespacePattern.test(text) ? text : undefined),
  namespaces: (text) => listOf(text, namespacePattern),
  resources: (text) => listOf(text.toLowerCase(), resourcePattern),
  hosts: (text) => listOf(text.toLowerCase(), hostPattern),
  address: parseAddress,
  level: (text) => logLevels.find((level) => level === text.toLowerCase()),
  verify: (text) => verifyModes.find((mode) => mode === text.toLowerCase()),
  authMode: (text) => (text.toLowerCase() === 'none' ? 'none' : undefined),
};

/** Reads rows one by one: flag, else variable, else default. Empty texts count as unset; mistakes are collected, not thrown. */
export function settingReader(env: Source, flags: Source): SettingReader {
  const mistakes: string[] = [];

  function optional<Type extends SettingType>(row: Row<Type>): ValueTypes[Type] | undefined {
    const given = givenText(row, env, flags);
    if (given === undefined) return row.default === undefined ? undefined : parsers[row.type](row.default);
    const value = parsers[row.type](given.text);
    if (value === undefined) mistakes.push(mistakeOf(row, given));
    return value;
  }

  function required<Type extends SettingType>(row: Row<Type> & { readonly default: string }): ValueTypes[Type] {
    const value = optional(row) ?? parsers[row.type](row.default);
    if (value === undefined) throw new TypeError(`the default of ${row.variable} is not valid`);
    return value;
  }

  return { required, optional, mistakes };
}

interface Given {
  readonly from: string;
  readonly text: string;
}

function givenText(row: SettingRow, env: Source, flags: Source): Given | undefined {
  const flag = flags[row.flag]?.trim() ?? '';
  if (flag !== '') return { from: `--${row.flag}`, text: flag };
  const variable = env[row.variable]?.trim() ?? '';
  // A Service named headwind-api makes Kubernetes set HEADWIND_API_PORT=tcp://10.0.0.1:8081 in every pod: not meant for us.
  if (variable === '' || (row.type === 'port' && /^(tcp|udp|sctp):\/\//.test(variable))) return undefined;
  return { from: row.variable, text: variable };
}

function mistakeOf(row: SettingRow, { from, text }: Given): string {
  const shown = row.secret === true ? '(hidden)' : `"${text.length > 200 ? `${text.slice(0, 200)}…` : text}"`;
  if (row.type === 'authMode') {
    return laterAuthModes.includes(text.toLowerCase())
      ? `${from}: authentication mode ${shown} is not available in this version; leave it unset (loopback only) or write none`
      : `${from}: ${shown} is an unknown authentication mode; write ${settingForms.authMode}`;
  }
  return `${from}: ${shown} is not valid; write ${settingForms[row.type]}`;
}

function listOf(text: string, pattern: RegExp): readonly string[] | undefined {
  const items = text.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
  return items.every((item) => pattern.test(item)) ? [...new Set(items)] : undefined;
}

/** Without a trailing slash, so that paths can be appended. */
function parseBaseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return isPlain && /^https?:$/.test(url.protocol) ? url.href.replace(/\/+$/, '') : undefined;
}

function parseAddress(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return isIP(bare) !== 0 || bare === 'localhost' ? bare : undefined;
}
