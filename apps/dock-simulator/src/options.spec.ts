import { parseCredentials, parseOptions, type ProgramOptions } from './options.js';

type Run = Extract<ProgramOptions, { kind: 'run' }>;

const NOW_MS = 1_760_000_000_000;

function read(line: string, environment: NodeJS.ProcessEnv = {}): Run {
  const options = parseOptions(line.split(' ').filter(Boolean), environment, NOW_MS);
  if (options.kind !== 'run') throw new Error('expected a run');
  return options;
}

describe('the command line', () => {
  it('is content with nothing', () => {
    expect(read('')).toMatchObject({ docks: undefined, snPrefix: 'SIM', seed: NOW_MS % 2 ** 32 });
  });

  it('takes what the help shows', () => {
    const run = read(
      '--docks 20 --model dock3 --aircraft M4D --faults slow-reply=5s,duplicate --seed 42 --mqtt-url mqtt://broker:1884 ' +
        '--mqtt-version 4 --speed 50 --duration 60s --sn-prefix TEST --position 47.1,8.2 --media-bytes 0 --log-bytes 500 --log-boots 3',
    );
    expect(run).toMatchObject({ docks: 20, seed: 42, durationMs: 60_000, snPrefix: 'TEST' });
    expect(run.common).toMatchObject({
      model: 'dock3',
      aircraft: 'M4D',
      faults: 'slow-reply=5s,duplicate',
      mqttUrl: 'mqtt://broker:1884',
      mqttVersion: 4,
      speed: 50,
      mediaBytes: 0,
      logBytes: 500,
      logBoots: 3,
      position: { latitude: 47.1, longitude: 8.2 },
    });
  });

  it('takes user and password from the environment, and from the line first', () => {
    const environment = { AERIE_MQTT_USER: 'env-user', AERIE_MQTT_PASSWORD: 'env-password' };
    expect(read('', environment).common).toMatchObject({ mqttUser: 'env-user', mqttPassword: 'env-password' });
    expect(read('--mqtt-user me', environment).common).toMatchObject({ mqttUser: 'me' });
  });

  it('asks for help', () => {
    expect(parseOptions(['--help'], {}, NOW_MS)).toEqual({ kind: 'help' });
  });

  it.each([
    ['--colour red', '--colour'],
    ['--docks 0', '--docks'],
    ['--docks many', '--docks'],
    ['--model dock9', '--model'],
    ['--aircraft M1', '--aircraft'],
    ['--faults lazy', '--faults'],
    ['--seed -1', '--seed'],
    ['--mqtt-version 3', '--mqtt-version'],
    ['--mqtt-url broker', '--mqtt-url'],
    ['--speed 0', '--speed'],
    ['--media-bytes many', '--media-bytes'],
    ['--log-bytes 0', '--log-bytes'],
    ['--log-bytes 67108865', '--log-bytes'],
    ['--log-boots 201', '--log-boots'],
    ['--duration soon', '--duration'],
    ['--position 91,0', '--position'],
    ['--sn-prefix a/b', '--sn-prefix'],
    ['stray', 'stray'],
  ])('refuses "%s" in one line that names %s', (line, name) => {
    expect(() => read(line)).toThrow(name);
    try {
      read(line);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });
});

describe('the credentials file', () => {
  it('gives one dock per entry', () => {
    const text = JSON.stringify([{ sn: 'A', mqttUser: 'a', mqttPassword: 'p', bindingCode: 'c' }, { sn: 'B' }]);
    expect(parseCredentials(text)).toEqual([
      { sn: 'A', mqttUser: 'a', mqttPassword: 'p', bindingCode: 'c' },
      { sn: 'B' },
    ]);
  });

  it.each(['nonsense', '{}', '[]', '[{}]', '[{"sn":1}]'])('refuses %s and names the option', (text) => {
    expect(() => parseCredentials(text)).toThrow('--credentials');
  });
});
