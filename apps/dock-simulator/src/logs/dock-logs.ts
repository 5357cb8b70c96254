import type { DockContext } from '../context.js';
import type { Moment } from '../fault-words.js';
import type { Outbox } from '../outbox.js';
import type { Pilot, Verdict } from '../pilot.js';
import { resultCodes } from '../result-codes.js';
import { isSpoken } from '../storage/object-uploader.js';
import type { Incoming } from '../wire.js';
import { LogArchive } from './log-archive.js';
import { AIRCRAFT, DOCK, LogBoots, type LogModule } from './log-boots.js';
import { type ExportPlan, LogExport } from './log-export.js';
import { deviceOf, type LogOrder, readModules, readOrder } from './log-order.js';
import { isOver, listData, type LogStatus, progressData, type ToldFile, statusOfJob } from './log-words.js';

/**
 * The logs of a dock and of its aircraft, and getting them out.
 *
 * INVARIANTS: one export at a time, and none while a mission flies; every export that began ends with exactly one
 * `logExportEnded` in the journal. An export lives in memory: after a reboot nobody hears of it again.
 */
export class DockLogs {
  readonly boots: LogBoots;
  private job: LogExport | undefined;

  constructor(
    private readonly context: DockContext,
    private readonly outbox: Outbox,
    private readonly pilot: Pick<Pilot, 'flightId' | 'speed'>,
    private readonly onMoment: (moment: Moment, bid: string) => void,
  ) {
    this.boots = new LogBoots(context);
  }

  get exporting(): boolean {
    return this.job !== undefined;
  }

  /** Why no mission may begin now, or 0. */
  get busyWith(): number {
    if (this.job === undefined) return resultCodes.ok;
    return this.job.status === 'file_pull' ? resultCodes.pullsLogs : resultCodes.exportsLogs;
  }

  /** The aircraft is switched on for each flight, and off after it. */
  flightBegins(): void {
    this.boots.begin(AIRCRAFT);
  }

  flightEnded(): void {
    this.boots.end(AIRCRAFT);
  }

  list({ data }: Incoming): Verdict {
    const { settings, clock, faults, journal } = this.context;
    const modules = readModules(data['module_list']);
    if (!modules) return { result: resultCodes.badParameter };
    const listed = modules.map((module) => {
      const isOff = module === AIRCRAFT && faults.aircraftOff;
      const boots = isOff ? [] : this.boots.of(module);
      const result = isOff ? resultCodes.aircraftOff : resultCodes.ok;
      return { module, deviceSn: deviceOf(module, settings), result, boots };
    });
    journal.note('logListed', { modules: modules.join() });
    return { result: resultCodes.ok, body: listData(listed, settings.dialect, clock.nowMs()) };
  }

  start({ bid, data }: Incoming): Verdict {
    const { settings, clock, faults, journal } = this.context;
    if (this.job) return { result: resultCodes.exportsLogs };
    if (this.pilot.flightId !== undefined) return { result: resultCodes.otherMissionRuns };
    const order = readOrder(data, settings, clock.nowMs());
    if (!order) return { result: resultCodes.badParameter };
    const result = this.whyNot(order);
    if (result !== resultCodes.ok) return { result };
    const plan = this.planOf(order, bid);
    const struck = faults.logFaults();
    for (const kind of struck) journal.note('fault', { kind, bid });
    const job = new LogExport(
      this.context,
      { ...plan, faults: struck },
      {
        speed: () => this.pilot.speed,
        tell: (files) => this.tell(job, files),
        onUploading: () => this.onMoment('exporting', bid),
        onEnd: (status) => this.end(job, status),
      },
    );
    this.job = job;
    journal.note('logExportBegan', { bid, files: plan.files.length });
    return { result, afterwards: () => job.start() };
  }

  /** [Cloud API] only `cancel` exists. It ends the whole export when one of its modules is named. */
  update({ data }: Incoming): Verdict {
    const modules = readModules(data['module_list']);
    if (data['status'] !== 'cancel' || !modules) return { result: resultCodes.badParameter };
    const { job } = this;
    if (!job?.plan.files.some(({ module }) => modules.includes(module))) return { result: resultCodes.ok };
    job.stop();
    this.noteEnd(job, 'canceled');
    return { result: resultCodes.ok, afterwards: () => job.tell() };
  }

  reboot(): void {
    this.drop('reboot');
    this.boots.begin(DOCK);
  }

  halt(): void {
    this.drop('stopped');
  }

  private drop(status: 'reboot' | 'stopped'): void {
    const { job } = this;
    if (!job) return;
    job.stop();
    this.noteEnd(job, status);
  }

  private end(job: LogExport, status: LogStatus): void {
    job.tell();
    this.noteEnd(job, status);
  }

  private noteEnd(job: LogExport, status: LogStatus | 'reboot' | 'stopped'): void {
    this.job = undefined;
    this.context.journal.note('logExportEnded', { bid: job.bid, status });
  }

  /** [Cloud API] asks for no answer, so what is not heard is not said again. */
  private tell({ bid, plan }: LogExport, files: readonly ToldFile[]): void {
    if (plan.faults.has('log-last-event') && isOver(statusOfJob(files))) return;
    const data = progressData(files, this.context.settings.dialect);
    this.outbox.event({ method: 'fileupload_progress', bid, needReply: false, data });
  }

  private whyNot({ access, files }: LogOrder): number {
    const { faults, journal } = this.context;
    if (faults.aircraftOff && files.some(({ module }) => module === AIRCRAFT)) return resultCodes.aircraftOff;
    const isKnown = (module: LogModule) => (index: number) => this.boots.find(module, index) !== undefined;
    if (!files.every(({ module, bootIndexes }) => bootIndexes.every(isKnown(module)))) return resultCodes.noSuchLog;
    if (isSpoken(access.provider)) return resultCodes.ok;
    const because = `a simulated dock does not speak to the provider ${access.provider}`;
    journal.note('refused', { method: 'fileupload_start', because });
    return resultCodes.logUploadRefused;
  }

  private planOf({ access, files }: LogOrder, bid: string): Omit<ExportPlan, 'faults'> {
    const { settings, prng } = this.context;
    const planned = files.flatMap((file) =>
      this.partsOf(file).map(({ module, key, bootIndexes }) => {
        const boots = this.boots.of(module).filter(({ bootIndex }) => bootIndexes.includes(bootIndex));
        const archive = new LogArchive(module, boots, prng);
        return { module, key, archive, deviceSn: deviceOf(module, settings), bootIndexes };
      }),
    );
    return { bid, access, files: planned };
  }

  /** [seen in a foreign simulator] a file for some of the boots and one for the others, beside the key that was given. */
  private partsOf(file: LogOrder['files'][number]): readonly LogOrder['files'][number][] {
    const { bootIndexes, key } = file;
    if (!this.context.ways.has('two-files') || bootIndexes.length < 2) return [file];
    const [first, ...others] = bootIndexes;
    return [
      { ...file, bootIndexes: first === undefined ? [] : [first] },
      { ...file, bootIndexes: others, key: `${key}.2` },
    ];
  }
}
