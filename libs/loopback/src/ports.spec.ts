import { spawnSync } from 'node:child_process';
import { freePort, freePorts } from './ports.js';

it('gives no port twice, though nobody listens there yet', async () => {
  const drawn = (await Promise.all([freePorts(100), freePorts(100)])).flat();

  expect(new Set(drawn).size).toBe(200);
});

it('draws no port that another running program has drawn and does not listen on yet', async () => {
  const mine = await freePort();
  // The other one looks at the very same port first.
  const program = `
    const { freePort } = await import('${new URL('./ports.js', import.meta.url).href}');
    const drawn = new Set();
    for (let count = 0; count < 2_999; count++) drawn.add(await freePort());
    console.log(drawn.has(${mine}));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });

  expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: 'false', stderr: '' });
});
