import { builtinModules } from 'node:module';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/** Who may import whom. docs/architecture.md explains the tags; tools/lint-canary proves that the rule bites. */
export const depConstraints = [
  { sourceTag: 'type:kernel', onlyDependOnLibsWithTags: [], allowedExternalImports: [] },
  {
    sourceTag: 'type:core',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:property-testing'],
    allowedExternalImports: ['fast-check'],
  },
  {
    sourceTag: 'type:contract',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contract', 'type:property-testing'],
    allowedExternalImports: ['zod', 'fast-check'],
  },
  {
    sourceTag: 'type:adapter',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contract', 'type:adapter', 'type:testing'],
  },
  {
    sourceTag: 'type:tool',
    onlyDependOnLibsWithTags: [
      ...['type:kernel', 'type:core', 'type:contract', 'type:adapter', 'type:loopback', 'type:tool'],
      'scope:simulator',
    ],
  },
  // Scenarios start programs, they do not import them; the simulator alone is a library too.
  {
    sourceTag: 'type:scenario',
    onlyDependOnLibsWithTags: ['type:kernel', 'type:contract', 'type:testing', 'type:tool', 'scope:simulator'],
  },
  { sourceTag: 'type:property-testing', onlyDependOnLibsWithTags: [], allowedExternalImports: [] },
  { sourceTag: 'type:loopback', onlyDependOnLibsWithTags: [], allowedExternalImports: [] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:kernel', 'type:contract', 'type:loopback'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      ...['type:kernel', 'type:core', 'type:contract', 'type:adapter', 'type:testing'],
      'type:property-testing',
    ],
  },
  ...['ingress', 'fleet', 'mission', 'log', 'credential', 'edge', 'storage', 'simulator'].map((scope) => ({
    sourceTag: `scope:${scope}`,
    onlyDependOnLibsWithTags: [`scope:${scope}`, 'scope:dji', 'scope:shared'],
  })),
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  { sourceTag: 'scope:dji', onlyDependOnLibsWithTags: ['scope:dji', 'scope:shared'] },
];

/** What programs read comes from others: no expression may take for ever over an odd text (N81). The canary proves that it bites. */
export const safeExpressions = {
  files: ['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts'],
  ignores: ['**/*.spec.ts', '**/testing/**', '**/fixtures/**'],
  plugins: { regexp },
  rules: {
    'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
    'regexp/no-super-linear-move': ['error', { report: 'potential' }],
  },
};

/**
 * The floors of mission-service, top floor first: a folder imports from those below it alone. Vendor words live on the
 * lowest one.
 */
export const MISSION_FLOORS = [
  ...['http', 'uplink', 'wakes', 'retention', 'breakpoints', 'planning', 'control', 'policy', 'dock-holds'],
  ...['preflight', 'downlink', 'advance-mission', 'views', 'store', 'dji'],
];

const vendorWords = (where) => ({
  name: '@aerie/dji-protocol',
  message: `DJI's words stop in ${where}. Translate there.`,
});

/** One block of rules for each floor. */
export const missionFloors = MISSION_FLOORS.map((floor, index) => ({
  files: [`apps/mission-service/src/missions/${floor}/**/*.ts`, `apps/mission-service/src/missions/${floor}.ts`],
  ignores: ['**/*.spec.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: floor === 'dji' || floor === 'downlink' ? [] : [vendorWords('dji/ and downlink/')],
        patterns:
          index === 0
            ? []
            : [
                {
                  regex: `^\\.\\.?/(${MISSION_FLOORS.slice(0, index).join('|')})(/|\\.js$)`,
                  message: `${floor} lies below: it imports nothing from the floors above it.`,
                },
              ],
      },
    ],
  },
}));

const pureFiles = ['libs/kernel/src/**/*.ts', 'libs/*-core/src/**/*.ts'];
const specFiles = ['**/*.spec.ts', '**/*.scenario.ts', 'libs/*-core/src/fixtures/**'];
const testFiles = [...specFiles, '**/fixtures/**', '**/*.fixture.ts', 'libs/testing/**', 'libs/*/src/testing/**'];
const noTestingImport = {
  selector: 'ImportDeclaration[source.value=/^@aerie\\u002f([a-z-]+\\u002f|property-)?testing$/]',
  message: 'Only specs, scenarios and fixtures import what is for tests.',
};
const nodeModules = [...builtinModules, 'node:*'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/*.mjs', 'tools/lint-canary/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  prettier,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.eslint.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A method that promises may have nothing to wait for; that it is async keeps its errors in the promise.
      '@typescript-eslint/require-await': 'off',
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // Nest reads constructor types at run time: an `import type` there would leave nothing to inject.
    files: ['apps/**/*.ts', 'libs/http-api/**/*.ts', 'libs/grpc-api/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: pureFiles,
    ignores: specFiles,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: nodeModules, message: 'Pure code does no I/O. Take the value as a parameter.' }] },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'setTimeout', 'setInterval', 'fetch', 'Buffer', 'performance'].map((name) => ({
          name,
          message: 'Pure code has no clock and no environment. Take the value as a parameter.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take the time as a parameter.' },
        { object: 'Math', property: 'random', message: 'Take the random value as a parameter.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take the time as a parameter.' },
        noTestingImport,
      ],
    },
  },
  {
    files: ['apps/*-service/src/**/*.ts'],
    ignores: ['apps/*-service/src/**/dock/**', ...specFiles],
    rules: {
      'no-restricted-imports': ['error', { paths: [vendorWords('dock/')] }],
    },
  },
  safeExpressions,
  ...missionFloors,
  {
    files: ['apps/**/src/**/*.ts', 'libs/**/src/**/*.ts'],
    ignores: [...testFiles, ...pureFiles],
    rules: { 'no-restricted-syntax': ['error', noTestingImport] },
  },
  {
    // Console text is what these programs are for.
    files: ['tools/**/*.ts', 'apps/dock-simulator/src/main.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: specFiles,
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
