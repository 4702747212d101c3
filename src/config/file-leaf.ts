import * as v from 'valibot';
import { unwrap } from './schema-shape.ts';

/** What the reference says of a key, and how a mistake in it is told. */
export interface KeyFacts {
  readonly help?: string;
  /** As it would be written. */
  readonly default?: string;
  /** Its value is never repeated in a message. */
  readonly secret?: boolean;
  /** Belongs to a capability of a later version: accepted, and told once. */
  readonly later?: boolean;
  /** Accepted for the sake of old files; it has no effect. */
  readonly ignored?: boolean;
  /** Whoever may write the ConfigMap may not set it. */
  readonly fileOnly?: boolean;
}

/** A sentence that says more than which form is accepted. */
export interface Invalid {
  readonly invalid: string;
}

/** A scalar: `parse` gives undefined for a text that is not of this form, or the sentence that says why. */
export function leaf<Value>(form: string, parse: (text: string) => Exclude<Value, Invalid> | Invalid | undefined) {
  return v.pipe(
    v.string(form),
    v.rawTransform<string, Exclude<Value, Invalid>>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (isInvalid(value)) addIssue({ message: form, expected: sentence, received: value.invalid });
      else if (value === undefined) addIssue({ message: form });
      else return value;
      return NEVER;
    }),
    v.metadata({ form }),
  );
}

/** The sentence with which {@link leaf} refused a value, if it had one. */
export function sentenceOf({ expected, received }: v.BaseIssue<unknown>): string | undefined {
  return expected === sentence ? received : undefined;
}

const sentence = 'sentence';

function isInvalid(value: unknown): value is Invalid {
  return typeof value === 'object' && value !== null && 'invalid' in value;
}

/** A key that may be missing. */
export function key<const Schema extends v.GenericSchema>(schema: Schema, help: string, facts: KeyFacts = {}) {
  return v.optional(v.pipe(schema, v.metadata({ help, ...facts })));
}

/** A key that must be there. */
export function requiredKey<const Schema extends v.GenericSchema>(schema: Schema, help: string, facts: KeyFacts = {}) {
  return v.pipe(schema, v.metadata({ help, ...facts }));
}

/** A key of a capability that this version does not have. */
export function laterKey() {
  return v.optional(v.pipe(v.any(), v.metadata({ later: true })));
}

/** What {@link key} and {@link leaf} said of a schema. */
export function factsOf(schema: v.GenericSchema): KeyFacts & { readonly form?: string } {
  const inner = unwrap(schema);
  const actions: readonly unknown[] = 'pipe' in inner && Array.isArray(inner.pipe) ? inner.pipe : [];
  return actions.reduce<KeyFacts>((facts, action) => ({ ...facts, ...metadataOf(action) }), {});
}

function metadataOf(action: unknown): object {
  if (typeof action !== 'object' || action === null) return {};
  // A pipe in a pipe: the outer one has the inner as its first item.
  if ('pipe' in action && Array.isArray(action.pipe))
    return action.pipe.reduce<object>((facts, inner) => ({ ...facts, ...metadataOf(inner) }), {});
  const isMetadata = 'type' in action && action.type === 'metadata' && 'metadata' in action;
  return isMetadata && typeof action.metadata === 'object' ? (action.metadata ?? {}) : {};
}
