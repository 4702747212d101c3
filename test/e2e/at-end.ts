import type { TestContext } from 'node:test';

type Undo = () => unknown;
const undoing = new WeakMap<TestContext, Undo[]>();

/** Like `t.after`, but in reverse order and all of them, whichever fails: what was opened first is needed longest. */
export function atEnd(t: TestContext, undo: Undo): void {
  const known = undoing.get(t);
  if (known) {
    known.push(undo);
    return;
  }
  const all = [undo];
  undoing.set(t, all);
  t.after(async () => {
    const failures: unknown[] = [];
    for (const each of all.toReversed())
      await Promise.resolve()
        .then(each)
        .catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
}
