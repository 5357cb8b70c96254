import { type Fleet, type Size, sizeOf } from './size.js';

/** One line for each size of fleet, as docs/scaling.md shows it. */
export const SHOWN: readonly Fleet[] = [100, 1_000, 10_000, 100_000].map((docks) => ({
  docks,
  flightsPerDay: 5,
  minutesPerFlight: 25,
  photosPerFlight: 50,
  herd: Math.ceil(docks / 20),
}));

/** As Markdown. */
export function sizeTable(): string {
  const rows = SHOWN.map((fleet) => {
    const size = sizeOf(fleet);
    const cells = [
      number(fleet.docks),
      number(size.inTheAir),
      number(size.messagesPerSecond),
      size.programs.map(({ replicas }) => replicas).join(', '),
      `${size.postgres.cores}, ${size.postgres.memoryMb / 1_024 < 10 ? (size.postgres.memoryMb / 1_024).toFixed(1) : Math.round(size.postgres.memoryMb / 1_024)} GB`,
      `${number(size.postgres.diskGb)} GB, ${size.postgres.walGbPerDay} GB`,
      String(size.natsCores),
      String(size.brokers),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const names = sizeOf(SHOWN[0] as Fleet).programs.map(({ name }) => name.replace('-service', ''));
  const head = [
    ...['docks', 'in the air', 'messages a second', `replicas of ${names.join(', ')}`],
    ...['PostgreSQL: cores, memory', 'disk after a year, WAL a day', 'NATS: cores', 'brokers'],
  ];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => ' --- ').join('|')}|`, ...rows].join('\n');
}

/** What the command prints for one fleet. */
export function describe(fleet: Fleet, size: Size): string {
  const lines = size.programs.map(
    ({ name, replicas, cores, memoryMb }) =>
      `  ${name.padEnd(20)} ${String(replicas).padStart(3)} replicas   ${cores.toFixed(2).padStart(7)} cores busy together   ${memoryMb} MB each`,
  );
  const { postgres } = size;
  return [
    `${number(fleet.docks)} docks, ${fleet.flightsPerDay} flights a day of ${fleet.minutesPerFlight} min: ${number(size.inTheAir)} in the air at the busiest hour, ${number(size.messagesPerSecond)} messages a second.`,
    ...lines,
    `  ${'PostgreSQL'.padEnd(20)} ${postgres.cores} cores busy, ${number(postgres.memoryMb)} MB, ${number(postgres.diskGb)} GB of disk after a year, ${postgres.walGbPerDay} GB of WAL a day`,
    `  ${'NATS'.padEnd(20)} ${size.natsCores} cores busy on each of three servers, 3 GB of disk`,
    `  ${'broker'.padEnd(20)} ${size.brokers}`,
    ...size.notes.map((note) => `  ${note}`),
  ].join('\n');
}

const number = (value: number): string => value.toLocaleString('en-US');
