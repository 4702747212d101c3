import type { HttpContext, Route } from './app.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** A sentence, also when it is well. */
  readonly message: string;
}

export interface HealthDeps {
  readonly version: string;
  readonly isLeader: () => boolean;
  /** The loops turn, and the leader is not stuck. Must not depend on the API server or a registry. */
  readonly alive: () => boolean;
  /** Caches, listeners, permissions: all must be ok to be ready. */
  readonly checks: () => readonly Check[];
}

const stuck = 'a loop of the operator is stuck\n';

/** The health routes that every server has. Not authenticated: they tell nothing else. */
export function healthRoutes(deps: HealthDeps): Route[] {
  return [
    { method: 'GET', path: '/health', handle: (c) => health(c, deps) },
    { method: 'GET', path: '/healthz', handle: (c) => (deps.alive() ? c.text('OK') : c.text(stuck, 503)) },
    { method: 'GET', path: '/readyz', handle: (c) => ready(c, deps.checks()) },
    { method: 'GET', path: '/health/live', handle: (c) => (deps.alive() ? c.body(null, 204) : c.text(stuck, 503)) },
    { method: 'GET', path: '/health/ready', handle: (c) => kubeAutorolloutReady(c, deps.checks()) },
  ];
}

function health(c: HttpContext, { version, isLeader }: HealthDeps): Response {
  return wantsJson(c) ? c.json({ status: 'healthy', version, leader: isLeader() }) : c.text('OK');
}

function ready(c: HttpContext, checks: readonly Check[]): Response {
  const failed = checks.filter(({ ok }) => !ok);
  const status = failed.length === 0 ? 200 : 503;
  if (wantsJson(c)) return c.json({ status: status === 200 ? 'ready' : 'not ready', checks }, status);
  const verbose = c.req.query('verbose');
  if (verbose !== undefined && verbose !== 'false' && verbose !== '0') return c.text(verboseLines(checks, status), status);
  return status === 200 ? c.text('OK') : c.text(failureLines(failed), status);
}

function kubeAutorolloutReady(c: HttpContext, checks: readonly Check[]): Response {
  const failed = checks.filter(({ ok }) => !ok);
  return failed.length === 0 ? c.body(null, 204) : c.text(failureLines(failed), 503);
}

function failureLines(failed: readonly Check[]): string {
  return failed.map(({ name, message }) => `${name}: ${message}\n`).join('');
}

function verboseLines(checks: readonly Check[], status: number): string {
  const lines = checks.map(({ name, ok, message }) => `[${ok ? '+' : '-'}] ${name}: ${message}\n`);
  return `${lines.join('')}readyz: ${status === 200 ? 'ready' : 'not ready'}\n`;
}

function wantsJson(c: HttpContext): boolean {
  return c.req.header('accept')?.includes('application/json') ?? false;
}
