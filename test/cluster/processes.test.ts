import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { makeStateFolder, removeStateFolder, startProcess } from './processes.ts';
import { until } from './until.ts';

const processes = new URL('processes.ts', import.meta.url).href;

// Starts two programs, the second one as the test says, tells their ids and then does what the test says.
const parent = (second: string, fate: string) => `
  import { makeStateFolder, startProcess } from '${processes}';
  const folder = makeStateFolder('orphans');
  const first = await startProcess({ name: 'first', file: 'sleep', args: ['600'], folder });
  const second = await startProcess({ name: 'second', file: 'sh', args: ['-c', '${second}'], folder });
  console.log(JSON.stringify({ folder, pids: [first.pid, second.pid] }));
  ${fate}`;

const polite = 'exec sleep 600';
const deaf = 'trap "" TERM; while :; do sleep 0.2; done';
const lives = 'setInterval(() => undefined, 1000);';

const fates = [
  ['is killed, even when they do not listen to SIGTERM', deaf, lives, (child: ChildProcess) => child.kill('SIGKILL')],
  ['is interrupted (Ctrl-C)', polite, lives, (child: ChildProcess) => child.kill('SIGINT')],
  ['fails with an uncaught error', polite, "throw new Error('on purpose');", () => undefined],
  ['simply comes to its end', polite, '', () => undefined],
] as const;

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('test/cluster/processes', () => {
  for (const [title, second, fate, act] of fates) {
    it(`leaves no process and no folder behind when the process that uses it ${title}`, async () => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', parent(second, fate)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const line = await firstOf(createInterface({ input: child.stdout }));
      const { folder, pids }: { folder: string; pids: number[] } = JSON.parse(line);
      act(child);
      await until('everything is gone', (see) => {
        const left = { pids: pids.filter(isThere), folder: existsSync(folder) };
        see(left);
        return left.pids.length === 0 && !left.folder;
      });
    });
  }

  it('reports how a process ended and what it said', async (t) => {
    const folder = makeStateFolder('ended');
    t.after(() => removeStateFolder(folder));
    const child = await startProcess({ name: 'short', file: 'sh', args: ['-c', 'echo $NO_PROXY; exit 3'], folder });
    assert.equal((await child.exited).code, 3);
    assert.equal(child.ended()?.code, 3);
    assert.equal(child.log(), '127.0.0.1,localhost');
    await child.stop();
  });

  it('stops a process that is paused', async (t) => {
    const folder = makeStateFolder('paused');
    t.after(() => removeStateFolder(folder));
    const child = await startProcess({ file: 'sleep', args: ['600'], folder });
    child.signal('SIGSTOP');
    await child.stop();
    assert.equal(child.ended()?.signal, 'SIGTERM');
  });

  it('says so when a program cannot be started', async (t) => {
    const folder = makeStateFolder('missing');
    t.after(() => removeStateFolder(folder));
    await assert.rejects(startProcess({ file: '/nowhere/etcd', args: [], folder }), /\/nowhere\/etcd did not start: .*ENOENT/);
  });
});

async function firstOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) return line;
  throw new Error('it said nothing');
}
