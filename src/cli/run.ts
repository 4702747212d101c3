import { Command } from 'commander';
import { configTable, type SettingRow, settingForms } from '../core/config-table.ts';

/** Values of flags by their name without dashes; those that were not given are missing. */
export type Flags = Readonly<Record<string, string | undefined>>;

/** `headwind run`: one flag for each setting, made from the table of settings. */
export function runCommand(start: (flags: Flags) => Promise<void>): Command {
  const command = new Command('run')
    .description('Run the operator against the cluster of the kubeconfig, or of the pod it runs in')
    .summary('run the operator')
    .addHelpText('after', '\nEach flag has an environment variable; the flag wins. Durations: 300, 90s, 5m, 6h, 7d.\n');
  for (const row of Object.values<SettingRow>(configTable)) command.option(`--${row.flag} <value>`, describe(row));
  return command.action(async (options: Record<string, string | undefined>) => {
    const flags = Object.values<SettingRow>(configTable).map(({ flag }) => [flag, options[camelCase(flag)]] as const);
    await start(Object.fromEntries(flags));
  });
}

function describe({ help, variable, type, default: fallback }: SettingRow): string {
  const shown = fallback === undefined || fallback === '' ? '' : `, default ${fallback}`;
  return `${help}\n(${variable}; ${settingForms[type]}${shown})`;
}

/** As commander names the option of a flag. */
function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
}
