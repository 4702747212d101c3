import { type AppOptions, createApp, type HttpApp } from './app.ts';
import { healthRoutes, type HealthDeps } from './health.ts';

export interface MetricsAppDeps extends Pick<AppOptions, 'log' | 'metrics'> {
  readonly health: HealthDeps;
  /** All metrics in the text format of Prometheus, and its content type. */
  readonly exposition: { readonly contentType: string; text(): Promise<string> };
}

/** Port 9090: metrics and probes, without authentication. */
export function createMetricsApp({ health, exposition, log, metrics }: MetricsAppDeps): HttpApp {
  return createApp({
    name: 'metrics',
    log,
    metrics,
    routes: [
      ...healthRoutes(health),
      {
        method: 'GET',
        path: '/metrics',
        handle: async (c) => c.body(await exposition.text(), 200, { 'Content-Type': exposition.contentType }),
      },
    ],
  });
}
