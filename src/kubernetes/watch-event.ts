import { ApiError } from '../errors.ts';
import { isRecord, numberOf, type RawObject, recordAt, textOf } from './raw.ts';
import { BrokenLineError } from './reconnect-policy.ts';

export interface WatchEvent {
  readonly type: 'put' | 'delete' | 'bookmark';
  readonly object: RawObject;
  readonly version: string;
  /** The bookmark that ends the initial list of a stream. */
  readonly endsList: boolean;
}

const types: Readonly<Record<string, WatchEvent['type']>> = { ADDED: 'put', MODIFIED: 'put', DELETED: 'delete', BOOKMARK: 'bookmark' };

/** Reads one line of a watch. Throws BrokenLineError when it is no event, ApiError when it is an ERROR event. */
export function parseWatchEvent(line: string): WatchEvent {
  const raw = parse(line);
  const object = recordAt(raw, 'object');
  if (raw['type'] === 'ERROR') throw watchError(object);
  const metadata = recordAt(object, 'metadata');
  const type = Object.hasOwn(types, String(raw['type'])) ? types[String(raw['type'])] : undefined;
  const version = textOf(metadata['resourceVersion']);
  if (type === undefined || version === undefined || (type !== 'bookmark' && textOf(metadata['name']) === undefined)) {
    throw new BrokenLineError('a line of the watch is no event');
  }
  const endsList = type === 'bookmark' && recordAt(metadata, 'annotations')['k8s.io/initial-events-end'] === 'true';
  return { type, object, version, endsList };
}

function parse(line: string): RawObject {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new BrokenLineError('a line of the watch is not JSON', { cause });
  }
  throw new BrokenLineError('a line of the watch is not a JSON object');
}

function watchError(status: RawObject): ApiError {
  const seconds = numberOf(recordAt(status, 'details')['retryAfterSeconds']);
  const message = textOf(status['message']) ?? 'the watch ended with an error';
  return new ApiError(numberOf(status['code']) ?? 500, textOf(status['reason']) ?? '', message, {
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}
