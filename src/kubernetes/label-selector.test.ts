import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatSelector } from './label-selector.ts';
import type { RawObject } from './raw.ts';

const expression = (operator: unknown, values?: unknown, key: unknown = 'tier') => ({ matchExpressions: [{ key, operator, values }] });

const table: { title: string; selector: RawObject; says: string }[] = [
  { title: 'labels', selector: { matchLabels: { app: 'web', 'app.io/part': 'api' } }, says: 'app=web,app.io/part=api' },
  { title: 'an empty value', selector: { matchLabels: { app: '' } }, says: 'app=' },
  { title: 'In', selector: expression('In', ['web', 'api']), says: 'tier in (web,api)' },
  { title: 'In with an empty value', selector: expression('In', ['']), says: 'tier in ()' },
  { title: 'NotIn', selector: expression('NotIn', ['batch']), says: 'tier notin (batch)' },
  { title: 'Exists', selector: expression('Exists'), says: 'tier' },
  { title: 'DoesNotExist', selector: expression('DoesNotExist', []), says: '!tier' },
  {
    title: 'labels and expressions',
    selector: { matchLabels: { app: 'web' }, ...expression('Exists') },
    says: 'app=web,tier',
  },
  { title: 'an unknown operator', selector: expression('Near', ['web']), says: '' },
  { title: 'values that are no texts', selector: expression('In', [1, null]), says: '' },
  { title: 'no key', selector: expression('Exists', [], ''), says: '' },
  { title: 'nothing', selector: {}, says: '' },
  { title: 'something odd', selector: { matchLabels: { app: 1 }, matchExpressions: 'tier' }, says: '' },
];

describe('kubernetes/label-selector', () => {
  for (const { title, selector, says } of table) {
    it(`${title}: "${says}"`, () => {
      assert.equal(formatSelector(selector), says);
    });
  }
});
