import * as v from 'valibot';
import type { HttpContext } from './app.ts';
import { readMembers, wrongShape } from './body.ts';
import { HttpProblem } from './problem.ts';

/** What callers send to the routes that decide. Unknown members are ignored, `null` counts as absent. */

const defaultWaitSeconds = 10;
const longestWaitSeconds = 60;

const person = v.nullish(v.pipe(v.string('must be a text'), v.trim(), v.maxLength(256, 'is longer than 256 characters')));
const truth = v.nullish(
  v.union(
    [
      v.boolean(),
      v.pipe(
        v.picklist(['true', 'false', 'on', 'off', '1', '0', '']),
        v.transform((text) => text === 'true' || text === 'on' || text === '1'),
      ),
    ],
    'must be true or false',
  ),
);
export const approveSchema = v.object({
  approver: person,
  digest: v.nullish(v.pipe(v.string('must be a text'), v.trim())),
  force: truth,
});
export const rejectSchema = v.object({
  approver: person,
  reason: v.nullish(v.pipe(v.string('must be a text'), v.maxLength(4096, 'is longer than 4096 characters'))),
});
export const deleteSchema = v.object({ approver: person });

/** The body as the schema wants it. Throws HttpProblem with all mistakes. */
export async function readBodyAs<Schema extends v.GenericSchema>(schema: Schema, c: HttpContext): Promise<v.InferOutput<Schema>> {
  const result = v.safeParse(schema, await readMembers(c.req.raw));
  if (result.success) return result.output;
  throw wrongShape(result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })));
}

/** `?wait=` in milliseconds. Throws HttpProblem. */
export function readWait(text: string | undefined): number {
  if (text === undefined || text === '') return defaultWaitSeconds * 1000;
  const seconds = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= longestWaitSeconds) return seconds * 1000;
  const sentence = `Unusable query: wait must be a number of seconds from 0 to ${longestWaitSeconds}`;
  throw new HttpProblem({ status: 400, reason: 'BadRequest', sentence });
}
