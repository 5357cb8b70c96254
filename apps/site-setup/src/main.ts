// Makes what a small site needs before its first start, and ends: see docker/compose.yml.
import { loadConfig } from './config.js';
import { setUpSite } from './set-up-site.js';

const said = await setUpSite(loadConfig());
for (const line of said) console.log(line);
console.log(said.length === 0 ? 'The site has all that it needs.' : 'The site is set up.');
