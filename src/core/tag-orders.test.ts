import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from './tag.ts';
import { alphabeticalOrder, createdOrder, dateOrder, numberOrder, type Order, skeletonOrder, versionOrder } from './tag-orders.ts';

const created = new Map([
  ['a', 2],
  ['b', 1],
  ['c', 1],
]);
const table = [
  // order, a, relation or why not, b
  ['versions', versionOrder(parseTag), '1.9', '<', '1.10'],
  ['versions', versionOrder(parseTag), '1.9', 'OtherFamily', '1.10.1'],
  ['versions', versionOrder(parseTag), '1.9', 'NotAVersion', 'main'],
  ['shapes', skeletonOrder(), 'a-9', '<', 'a-10'],
  ['shapes', skeletonOrder(), 'a-abc1234', '=', 'a-def5678'],
  ['shapes', skeletonOrder(), 'a-9', 'OtherSkeleton', 'b-10'],
  ['numbers', numberOrder(), '9', '<', '10'],
  ['numbers', numberOrder(), '09', '=', '9'],
  ['numbers', numberOrder(), '9', 'NoPatternMatch', '1.0'],
  ['numbers', numberOrder(), '9', 'NoPatternMatch', ''],
  ['dates', dateOrder(), '2024-01', '<', '20240115'],
  ['dates', dateOrder(), '2024', '=', '2024000000'],
  ['dates', dateOrder(), '20240115T102030', '<', '20240115T102030.5'],
  ['dates', dateOrder(), '2024', 'NoPatternMatch', 'x'],
  ['bytes', alphabeticalOrder(), '10', '<', '9'],
  ['bytes', alphabeticalOrder(), 'Z', '<', 'a'],
  ['creation', createdOrder(created), 'b', '<', 'a'],
  ['creation', createdOrder(created), 'b', '=', 'c'],
  ['creation', createdOrder(created), 'b', 'NotConsulted', 'z'],
] as const;

describe('core/tag-orders', () => {
  for (const [name, order, a, relation, b] of table) {
    it(`by ${name}: ${a} ${relation} ${b}`, () => assert.equal(relate(order, a, b), relation));
  }
});

function relate(order: Order<any>, a: string, b: string): string {
  const left: object | string = order.read(a);
  const right: object | string = order.read(b);
  if (typeof left === 'string') return left;
  if (typeof right === 'string') return right;
  const step = order.compare(left, right);
  assert.equal(Math.sign(order.compare(right, left)) + Math.sign(step), 0);
  return order.apart(left, right) ?? (step < 0 ? '<' : step > 0 ? '>' : '=');
}
