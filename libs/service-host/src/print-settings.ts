// Writes the settings of programs to standard output, for `npm run docs:api`: each argument is a built `config.js`. One process
// for all of them, because most of a start is what they have in common. Starts nothing.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CommandSettings, type ProgramSettings, describeSettings } from './program-settings.js';

interface ConfigModule {
  readonly SETTINGS: ProgramSettings;
  readonly COMMANDS?: CommandSettings;
}

const printed: object[] = [];
for (const file of process.argv.slice(2)) {
  const { SETTINGS, COMMANDS = {} } = (await import(pathToFileURL(path.resolve(file)).href)) as ConfigModule;
  const { program, prefix, schema } = SETTINGS;
  const commands = Object.entries(COMMANDS).map(([command, own]) => ({ command, settings: describeSettings(own) }));
  printed.push({ program, prefix, settings: describeSettings(schema), commands });
}
process.stdout.write(`${JSON.stringify(printed, null, 2)}\n`);
