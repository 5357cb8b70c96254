// Jest runs on compiled code (`npm run build` first): Nest 12 is ESM only, and without a transformer nothing differs
// between what is tested and what runs. Four suites: unit (nothing but node), int (real PostgreSQL, Redis, NATS,
// mosquitto), scenario (all programs, one story per file), storage (one list for every S3 server). tools/local starts
// what the last three need.
const base = { testEnvironment: 'node', transform: {} };
const roots = ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'];
export default {
  // What runs on real parts takes as long as the machine takes; the waits within a test end sooner and name what they
  // waited for. For all suites alike, since jest heeds it here alone.
  testTimeout: 30_000,
  projects: [
    {
      ...base,
      roots,
      displayName: 'unit',
      testMatch: ['**/dist/**/*.spec.js'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.js$', '/node_modules/'],
    },
    { ...base, roots, displayName: 'int', testMatch: ['**/dist/**/*.int.spec.js'] },
    { ...base, roots, displayName: 'scenario', testMatch: ['**/dist/**/*.scenario.js'] },
    // As root, in network namespaces: `npm run test:hosts` alone.
    { ...base, roots, displayName: 'hosts', testMatch: ['**/dist/**/*.hosts.js'] },
    { ...base, roots, displayName: 'storage', testMatch: ['**/dist/**/*.storage.js'] },
  ],
  coverageProvider: 'v8',
};
