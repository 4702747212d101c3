import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import type { Reason } from '../core/reasons.ts';
import { announce, describe as describeChange, isWarning, tellProblems } from './announce.ts';
import { Notes } from './notes.ts';

const request = anUpdateRequest();

describe('operator/announce', () => {
  it('an Event goes to the request and to its workload', () => {
    const events = new RecordingEvents();
    announce(
      { events, metrics: new RecordingMetrics(), log: new RecordingLog() },
      request,
      aWorkload({ kind: 'CronJob' }),
      'UpdateApplied',
      'done',
      'UpdateCompleted',
    );
    assert.deepEqual(events.emitted, ['UpdateRequest shop/web-web-1-26-0a1b2c3d UpdateCompleted', 'CronJob shop/web UpdateApplied']);
    assert.deepEqual(events.messages, ['done', 'done']);
  });

  it('a request by hand that names no known object is told on the request alone', () => {
    const events = new RecordingEvents();
    const { uid: _uid, ...targetRef } = request.spec.targetRef;
    announce(
      { events, metrics: new RecordingMetrics(), log: new RecordingLog() },
      { ...request, spec: { ...request.spec, targetRef } },
      undefined,
      'UpdateFailed',
      'no such workload',
    );
    assert.deepEqual(events.emitted, ['UpdateRequest shop/web-web-1-26-0a1b2c3d UpdateFailed']);
  });

  const lines: readonly (readonly [string, Reason, level: string | undefined])[] = [
    ['made', 'UpdateAvailable', 'info'],
    ['waits', 'TooSoon', 'info'],
    ['failed', 'PatchRefused', 'warn'],
    ['put back', 'InvalidTransition', 'warn'],
    ['approved: its audit line says so', 'UpdateApproved', undefined],
    ['applied: its audit line says so', 'UpdateApplied', undefined],
  ];
  for (const [title, reason, level] of lines) {
    it(`writes one line of the log, or none: ${title}`, () => {
      const log = new RecordingLog();
      announce({ events: new RecordingEvents(), metrics: new RecordingMetrics(), log }, request, aWorkload(), reason, 'so it is');
      const fields = { reason, namespace: 'shop', target_kind: 'Deployment', target_name: 'web', request: request.metadata.name };
      const change = { container: 'web', from_image: 'nginx:1.25', to_image: 'nginx:1.26', require_approval: true, trigger: 'webhook' };
      assert.deepEqual(
        log.lines.map((line) => [line.level, line.message]),
        level === undefined ? [] : [[level, 'Deployment shop/web: so it is']],
      );
      if (level !== undefined) assert.partialDeepStrictEqual(log.lines[0]?.fields, { ...fields, ...change });
    });
  }

  it('describes a change in one line', () => {
    assert.equal(describeChange(request), 'web: nginx:1.25 → nginx:1.26');
    const { containerName: _name, ...spec } = request.spec;
    assert.equal(describeChange({ ...request, spec }), 'container: nginx:1.25 → nginx:1.26');
  });

  it('knows what is a warning', () => {
    assert.deepEqual(
      [isWarning('UpdateFailed'), isWarning('InvalidAnnotation'), isWarning('UpdateApplied'), isWarning('TooSoon')],
      [true, true, false, false],
    );
  });

  it('pull secrets that cannot be read are told once per change, for each repository', () => {
    const [events, notes, workload] = [new RecordingEvents(), new Notes(), aWorkload()];
    const missing = { problems: [{ reason: 'PullSecretMissing', message: 'no regcred' }] } as const;
    const tell = (repository: string, access: { problems: typeof missing.problems | [] }) => {
      tellProblems({ events, notes, log: new RecordingLog() }, workload, repository, access);
      return events.emitted.splice(0).length;
    };
    assert.deepEqual(
      [tell('a', missing), tell('a', missing), tell('b', missing), tell('a', { problems: [] }), tell('a', missing)],
      [1, 0, 1, 0, 1],
    );
  });
});
