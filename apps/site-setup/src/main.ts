// Makes what a small site needs before its first start, and ends: see docker/compose.yml.
import { loadConfig } from './config.js';
import { setUpSite } from './set-up-site.js';

const said = await setUpSite(loadConfig());
const lines = said.length === 0 ? ['The site has all that it needs.'] : [...said, 'The site is set up.'];
process.stdout.write(`${lines.join('\n')}\n`);
