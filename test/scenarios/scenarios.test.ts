import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Observer } from './expectations.ts';
import { readGiven } from './given.ts';
import { readScenarios, type Scenario } from './scenario-file.ts';
import { steps } from './steps.ts';

const scenarios = readScenarios(import.meta.dirname);

for (const [file, own] of Map.groupBy(scenarios, (scenario) => scenario.file)) {
  describe(`scenarios/${file.replace('.yaml', '')}`, () => {
    for (const scenario of own) it(scenario.title, () => play(scenario));
  });
}

async function play({ given, steps: wanted }: Scenario): Promise<void> {
  const world = readGiven(given);
  world.time.install();
  try {
    await world.startOperator();
    const observer = new Observer(world);
    for (const { name, value } of wanted) {
      if (name === 'expect') {
        observer.check(value);
        continue;
      }
      const run = steps[name];
      if (!run) throw new Error(`there is no step ${name}; known are expect, ${Object.keys(steps).join(', ')}`);
      await run(world, value);
      await world.time.settle();
    }
    const before = world.cluster.writes.length;
    await world.wakeAll();
    assert.equal(world.cluster.writes.length, before, 'looking once more at what is settled writes nothing');
  } finally {
    await world.killOperator();
    world.time.restore();
  }
}
