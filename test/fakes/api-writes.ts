import { isDeepStrictEqual } from 'node:util';
import { type ApiObject, type ApiObjects, keyOf, mergePatch } from './api-objects.ts';
import type { SeenRequest } from './api-wire.ts';
import { strategicMergePatch } from './strategic-merge.ts';

/** An answer that is a Status object. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

interface Answer {
  readonly code: number;
  readonly body: object;
}

/** Carries out a request for one object, with the versions, generations and preconditions of the API server; throws Refusal. */
export function carryOut(objects: ApiObjects, request: SeenRequest): Answer {
  const { kind, collection, namespace, name = '', subresource, headers } = request;
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  const given = request.body === '' ? undefined : JSON.parse(request.body);
  if (kind === 'create') return { code: 201, body: create(objects, collection, namespace, given) };
  const current = objects.get(collection, key);
  if (current === undefined) throw new Refusal(404, 'NotFound', `${collection} "${name}" not found`);
  if (kind === 'get') return { code: 200, body: current };
  if (kind === 'delete') {
    checkVersion(current, given?.preconditions);
    objects.delete(collection, key);
    return { code: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { uid: current.metadata['uid'] } } };
  }
  if (kind === 'update') return { code: 200, body: change(objects, collection, current, given) };
  const options = { strategic: headers['content-type']?.includes('strategic') === true, status: subresource === 'status' };
  return { code: 200, body: patchObject(objects, collection, key, given, options) };
}

/** As somebody else's patch would change the object; only `status`, or all but that where the kind has the subresource. */
export function patchObject(
  objects: ApiObjects,
  collection: string,
  key: string,
  patch: any,
  { strategic = false, status = false }: { strategic?: boolean; status?: boolean } = {},
): ApiObject {
  const current = objects.get(collection, key);
  if (current === undefined) throw new Refusal(404, 'NotFound', `${collection} "${key}" not found`);
  const patched: any = (strategic ? strategicMergePatch : mergePatch)(current, patch);
  checkVersion(current, patch.metadata);
  return change(objects, collection, current, status ? { ...current, status: patched.status } : patched);
}

function create(objects: ApiObjects, collection: string, namespace: string | undefined, given: ApiObject): ApiObject {
  const object = { ...given, metadata: { ...given.metadata, ...(namespace === undefined ? {} : { namespace }) } };
  if (objects.get(collection, keyOf(object))) throw new Refusal(409, 'AlreadyExists', `"${keyOf(object)}" already exists`);
  return objects.put(collection, object);
}

function change(objects: ApiObjects, collection: string, current: ApiObject, next: ApiObject): ApiObject {
  checkVersion(current, next.metadata);
  if (isDeepStrictEqual(next, current)) return current;
  const generation = Number(current.metadata['generation'] ?? 1) + (isDeepStrictEqual(next['spec'], current['spec']) ? 0 : 1);
  return objects.put(collection, { ...next, metadata: { ...next.metadata, generation } });
}

function checkVersion(current: ApiObject, wanted: { uid?: unknown; resourceVersion?: unknown } | undefined): void {
  for (const member of ['uid', 'resourceVersion'] as const) {
    const value = wanted?.[member];
    if (value !== undefined && value !== current.metadata[member]) throw new Refusal(409, 'Conflict', 'the object has been modified');
  }
}
