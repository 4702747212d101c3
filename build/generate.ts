import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles, staleFiles } from './generated-files.ts';

/** `node build/generate.ts` writes the files that are made from code; with `--check` it only says which are out of date. */
const root = join(import.meta.dirname, '..');
const stale = staleFiles(root);

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`out of date: ${stale.join(', ')}\nrun: node build/generate.ts\n`);
    process.exitCode = 1;
  }
} else {
  for (const { path, text } of generatedFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  process.stdout.write(stale.length === 0 ? 'all generated files are up to date\n' : `written: ${stale.join(', ')}\n`);
}
