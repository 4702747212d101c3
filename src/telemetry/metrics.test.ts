import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricTable } from '../core/metric-table.ts';
import { createMetrics } from './metrics.ts';

describe('telemetry/metrics', () => {
  it('registers every row of the table with its type and help', async () => {
    const text = await createMetrics({ processMetrics: false }).text();
    for (const [name, row] of Object.entries(metricTable)) {
      assert.ok(text.includes(`# TYPE headwind_${name} ${row.type}\n`), name);
      assert.ok(text.includes(`# HELP headwind_${name} ${row.help}\n`), name);
    }
  });

  it('metrics without labels are there from the start', async () => {
    const text = await createMetrics({ processMetrics: false }).text();
    assert.match(text, /^headwind_updates_pending 0$/m);
    assert.match(text, /^headwind_webhook_events_total 0$/m);
    assert.match(text, /^headwind_reconcile_duration_seconds_bucket\{le="0.01"\} 0$/m);
  });

  it('counts, sets, observes and forgets', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.increment('webhook_events_total');
    metrics.increment('webhook_events_processed', {}, 3);
    metrics.set('update_requests', 2, { kind: 'Deployment', phase: 'Pending' });
    metrics.observe('reconcile_duration_seconds', 0.2);
    const text = await metrics.text();
    assert.match(text, /^headwind_webhook_events_total 1$/m);
    assert.match(text, /^headwind_webhook_events_processed 3$/m);
    assert.match(text, /^headwind_update_requests\{kind="Deployment",phase="Pending"\} 2$/m);
    assert.match(text, /^headwind_reconcile_duration_seconds_bucket\{le="0.5"\} 1$/m);
    metrics.reset('update_requests');
    assert.doesNotMatch(await metrics.text(), /phase="Pending"/);
  });

  it('the fifty-first registry and all after it are other', async () => {
    const metrics = createMetrics({ processMetrics: false });
    for (let index = 0; index < 60; index++)
      metrics.increment('registry_auth_failures_total', { registry: `r${index}.example`, reason: 'Denied' });
    metrics.increment('registry_auth_failures_total', { registry: 'r0.example', reason: 'Denied' });
    const text = await metrics.text();
    assert.match(text, /registry="other",reason="Denied"\} 10$/m);
    assert.match(text, /registry="r0.example",reason="Denied"\} 2$/m);
    assert.equal(text.match(/registry="r\d+/g)?.length, 50);
  });

  it('the wrong verb for a type is a mistake of the program', () => {
    const metrics = createMetrics({ processMetrics: false });
    assert.throws(() => metrics.set('webhook_events_total', 1), TypeError);
    assert.throws(() => metrics.observe('updates_pending', 1), TypeError);
    assert.throws(() => metrics.increment('reconcile_duration_seconds'), TypeError);
  });
});
