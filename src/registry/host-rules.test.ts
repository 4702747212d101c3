import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostRules } from './host-rules.ts';

const aliases = { 'harbor.internal': 'harbor.example.com' };

const table = [
  // allowed, denied, registry, outcome
  [[], [], 'ghcr.io', 'asked'],
  [['ghcr.io'], [], 'ghcr.io', 'asked'],
  [['GHCR.io'], [], 'ghcr.IO:443', 'asked'],
  [['ghcr.io'], [], 'quay.io', 'allowedRegistries'],
  [['docker.io'], [], 'registry-1.docker.io', 'asked'],
  [['index.docker.io'], [], 'docker.io', 'asked'],
  [['registry.hub.docker.com'], [], 'docker.io', 'asked'],
  [['*.example.com'], [], 'a.b.example.com', 'asked'],
  [['*.example.com'], [], 'example.com', 'allowedRegistries'],
  [['registry.local:5000'], [], 'registry.local:5000', 'asked'],
  [['registry.local'], [], 'registry.local:5000', 'allowedRegistries'],
  [['harbor.example.com'], [], 'harbor.internal', 'asked'],
  [['*'], ['docker.io'], 'index.docker.io', 'deniedRegistries'],
  [['docker.io'], ['docker.io'], 'docker.io', 'deniedRegistries'],
  [[], ['*.EVIL.test'], 'a.evil.test', 'deniedRegistries'],
  [[], ['evil.test'], 'evil.test:5000', 'deniedRegistries'],
  [[], ['evil.test:5000'], 'evil.test', 'asked'],
  [[], ['harbor.example.com'], 'harbor.internal', 'deniedRegistries'],
  [[], ['harbor.internal'], 'harbor.example.com', 'asked'],
  [['[unreadable'], [], 'ghcr.io', 'allowedRegistries'],
  [[], ['[unreadable'], 'ghcr.io', 'deniedRegistries'],
] as const;

describe('registry/host-rules', () => {
  for (const [allowed, denied, registry, outcome] of table) {
    it(`allowed [${allowed.join()}], denied [${denied.join()}]: ${registry} is ${outcome}`, () => {
      const sentence = createHostRules({ allowed, denied, aliases }).refusal(registry);
      if (outcome === 'asked') assert.equal(sentence, undefined);
      else
        assert.ok(
          sentence?.startsWith(`${registry} is `) && sentence.includes(outcome) && sentence.endsWith('if it may be asked'),
          sentence,
        );
    });
  }

  it('keeps the sentence short when many are allowed', () => {
    const allowed = Array.from({ length: 500 }, (_, index) => `r${index}.test`);
    assert.match(createHostRules({ allowed, denied: [], aliases: {} }).refusal('ghcr.io') ?? '', /\(r0\.test, .*, r4\.test and 495 more\)/);
  });

  it('what is led to need not be allowed, but must not be denied', () => {
    const rules = createHostRules({ allowed: ['quay.io'], denied: ['evil.test'], aliases: {} });
    assert.equal(rules.denial('cdn.quay.io'), undefined);
    assert.match(rules.denial('evil.test') ?? '', /deniedRegistries/);
  });
});
