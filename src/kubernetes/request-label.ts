export interface RequestLabel {
  /** `get list watch create update patch delete`. */
  readonly verb: string;
  /** `deployments`, `updaterequests/status`, `none` for paths outside the resources. A bounded set: no names of objects. */
  readonly resource: string;
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** What a request does, in the words of RBAC, for metrics. */
export function labelRequest(method: string, path: string, isWatch: boolean): RequestLabel {
  const segments = path.replace(/\?.*$/, '').split('/').filter(Boolean);
  const rest = segments[0] === 'api' ? segments.slice(2) : segments[0] === 'apis' ? segments.slice(3) : [];
  const [resource, name, subresource] = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const verb = isWatch ? 'watch' : (verbs[method] ?? (name === undefined && resource !== undefined ? 'list' : 'get'));
  if (resource === undefined) return { verb, resource: 'none' };
  return { verb, resource: subresource === undefined ? resource : `${resource}/${subresource}` };
}
