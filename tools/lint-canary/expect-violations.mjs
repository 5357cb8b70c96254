// Proves that the module boundary rule bites. Plain `eslint` skips that rule without a word when no project graph is
// cached, so this must run through `nx lint`, and it fails when a forbidden import goes unnoticed.
import { readFileSync } from 'node:fs';
import { ESLint } from 'eslint';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { MISSION_FLOORS, depConstraints, missionFloors, safeExpressions } from '../../eslint.config.mjs';

const file = 'tools/lint-canary/canary.ts';
const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { '@nx': nx },
      rules: {
        '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
      },
    },
  ],
});
const [result] = await eslint.lintFiles([file]);
const caught = new Set(result.messages.map(({ line }) => line));
const missed = readFileSync(file, 'utf8')
  .split('\n')
  .map((text, index) => ({ text, line: index + 1 }))
  .filter(({ text, line }) => text.startsWith('import ') && !caught.has(line));
if (missed.length > 0) {
  console.error('The module boundary rule did not notice:', missed.map(({ text }) => text).join(' | '));
  process.exit(1);
}
console.log(`The module boundary rule refused all ${caught.size} forbidden imports of the canary.`);

// The floors of mission-service: each import of a higher floor is refused, each of a lower one is not.
const floors = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }, ...missionFloors],
});
const wrong = [];
for (const [from, floor] of MISSION_FLOORS.entries()) {
  const others = MISSION_FLOORS.filter((other) => other !== floor);
  const [{ messages }] = await floors.lintText(others.map((other) => `import '../${other}/canary.js';`).join('\n'), {
    filePath: `apps/mission-service/src/missions/${floor}/canary.ts`,
  });
  const refused = new Set(messages.map(({ line }) => others[line - 1]));
  for (const other of others) {
    const isAbove = MISSION_FLOORS.indexOf(other) < from;
    if (refused.has(other) !== isAbove) wrong.push(`${floor} -> ${other}`);
  }
}
if (wrong.length > 0) {
  console.error('The rule on the floors of mission-service is wrong about:', wrong.join(', '));
  process.exit(1);
}
console.log(`The floors of mission-service are kept apart: ${MISSION_FLOORS.length} of them.`);

// Expressions that take for ever, and one that does not.
const expressions = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } }, safeExpressions],
});
const [{ messages: found }] = await expressions.lintText('/^(?:a+)+$/;\n/a*b/;\n/^[^/]*$/;\n', {
  filePath: 'libs/kernel/src/canary.ts',
});
if (String(found.map(({ line }) => line)) !== '1,2') {
  console.error(
    'The rules on expressions are wrong about lines',
    found.map(({ line, ruleId }) => `${line} ${ruleId}`),
  );
  process.exit(1);
}
console.log('Expressions that take for ever are refused.');
