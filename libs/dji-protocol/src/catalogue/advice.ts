/**
 * Whether the same thing may be tried again.
 *
 * - `now`: safe to try again at once.
 * - `later`: blocked for now; the request and the route are sound.
 * - `fix_request`: not before the request is changed.
 * - `fix_route`: not before the wayline is changed.
 * - `on_site`: not before somebody was at the dock.
 * - `never`: the same answer would follow, or a person wanted it so.
 */
export type Retry = 'now' | 'later' | 'fix_request' | 'fix_route' | 'on_site' | 'never';

/** One sentence for the operator, in both languages. */
export interface Advice {
  readonly en: string;
  readonly zh: string;
}

/** What to do decides whether a retry makes sense, so both are written together, once for all codes that share them. */
const table = {
  none: { retry: 'never', en: 'Nothing needs to be done.', zh: '无需处理。' },

  again: { retry: 'now', en: 'Try again.', zh: '请重试。' },
  restart: {
    retry: 'now',
    en: 'Try again, and restart the dock if it repeats.',
    zh: '请重试；若再次出现，请重启机场。',
  },
  power: {
    retry: 'now',
    en: 'Try again, and restart the aircraft if it repeats.',
    zh: '请重试；若再次出现，请重启飞行器。',
  },
  freshLink: {
    retry: 'now',
    en: 'Try again with a fresh link, and check that the dock reaches the file storage.',
    zh: '请使用新的下载链接重试，并检查机场能否访问文件存储。',
  },
  prepareAgain: {
    retry: 'now',
    en: 'Prepare the mission again, since the dock does not hold it.',
    zh: '机场没有该任务，请重新下发。',
  },

  wait: { retry: 'later', en: 'Wait until the dock is free, then try again.', zh: '请等待机场空闲后重试。' },
  waitRtk: {
    retry: 'later',
    en: 'Wait until RTK is fixed, and check its signal and correction service.',
    zh: '请等待 RTK 固定，并检查卫星信号与差分服务。',
  },
  waitSignal: {
    retry: 'later',
    en: 'Wait for a better satellite signal, then try again.',
    zh: '请等待卫星信号恢复后重试。',
  },
  waitWeather: { retry: 'later', en: 'Wait for better weather.', zh: '请等待天气好转。' },
  waitMains: { retry: 'later', en: 'Wait until mains power is back.', zh: '请等待市电恢复。' },
  waitNetwork: {
    retry: 'later',
    en: 'Check the network of the dock and try again when it is stable.',
    zh: '请检查机场网络，稳定后重试。',
  },
  charge: { retry: 'later', en: 'Wait until the battery is charged.', zh: '请等待电池充电。' },
  freeStorage: {
    retry: 'later',
    en: 'Free storage on the dock and the aircraft, or wait for the uploads.',
    zh: '请清理机场与飞行器的存储空间，或等待上传完成。',
  },
  endDebugging: {
    retry: 'later',
    en: 'End the debugging of the dock, then try again.',
    zh: '请退出机场调试模式后重试。',
  },
  releaseControl: {
    retry: 'later',
    en: 'Let whoever holds the control release it, then try again.',
    zh: '请让当前控制者释放控制权后重试。',
  },
  releaseStop: {
    retry: 'later',
    en: 'Have the emergency stop button of the dock released, then try again.',
    zh: '请松开机场急停按钮后重试。',
  },
  limits: {
    retry: 'later',
    en: 'Check the limits and zones that hold at the dock, or keep the wayline inside them.',
    zh: '请检查机场当前的限高、限远与限飞区，或调整航线使其不越界。',
  },
  lookFirst: {
    retry: 'later',
    en: 'Look at what the dock does first: the command may have been carried out.',
    zh: '命令可能已执行，请先确认机场状态再重试。',
  },
  upgrade: {
    retry: 'later',
    en: 'Upgrade the firmware of the dock and the aircraft to versions that match.',
    zh: '请将机场与飞行器固件升级到匹配的版本。',
  },
  setClock: {
    retry: 'later',
    en: 'Give the dock a time server that it can reach, then try again.',
    zh: '请为机场配置可访问的 NTP 服务器后重试。',
  },
  checkCloud: {
    retry: 'later',
    en: 'Check that the cloud hands out the file of the mission, then try again.',
    zh: '请检查云端能否提供任务文件后重试。',
  },
  fewerLogs: {
    retry: 'later',
    en: 'Choose fewer logs, then try again.',
    zh: '请减少所选日志后重试。',
  },
  leapfrogReady: {
    retry: 'later',
    en: 'Wait until both docks are idle and linked, then try again.',
    zh: '请等待两个机场均空闲且通信正常后重试。',
  },
  watchLanding: {
    retry: 'later',
    en: 'Look by live video whether the aircraft is inside the dock, then try again.',
    zh: '请先通过直播确认飞行器是否已回到舱内，再重试。',
  },
  cellularOff: {
    retry: 'later',
    en: 'Switch the cellular link of the aircraft off, then try again.',
    zh: '请关闭飞行器增强图传后重试。',
  },
  checkCellular: {
    retry: 'later',
    en: 'Check the cellular signal, the data plan and the APN, then try again.',
    zh: '请检查蜂窝信号、流量套餐与 APN 后重试。',
  },
  checkCertificate: {
    retry: 'later',
    en: 'Check the certificate of the server and the clock of the dock, then try again.',
    zh: '请检查服务器证书与机场时间后重试。',
  },
  debugAgain: {
    retry: 'later',
    en: 'Open remote debugging again, then repeat the command.',
    zh: '请重新进入远程调试后再执行。',
  },
  resumeCharged: {
    retry: 'later',
    en: 'Wait until the battery is charged, then resume from the breakpoint.',
    zh: '请等待充电完成后从断点续飞。',
  },
  resumeCalm: {
    retry: 'later',
    en: 'Wait until the wind or the interference is over, then resume from the breakpoint.',
    zh: '请等待大风或干扰消失后从断点续飞。',
  },
  resumeLink: {
    retry: 'later',
    en: 'Check the link to the aircraft, then resume from the breakpoint.',
    zh: '请检查与飞行器的链路后从断点续飞。',
  },

  fixRequest: { retry: 'fix_request', en: 'Correct the request.', zh: '请修正请求参数。' },
  fixFile: {
    retry: 'fix_request',
    en: 'Deliver the mission again with the address and the fingerprint of the current file.',
    zh: '请使用当前文件的地址与签名重新下发任务。',
  },
  fixBinding: {
    retry: 'fix_request',
    en: 'Check the organisation and the binding code that were entered at the dock.',
    zh: '请检查机场中填写的组织 ID 与绑定码。',
  },
  fixBreakpoint: {
    retry: 'fix_request',
    en: 'Fly the mission from the start, or resume from a breakpoint that the dock reported.',
    zh: '请从头执行任务，或使用机场上报的断点续飞。',
  },
  newMission: {
    retry: 'fix_request',
    en: 'Plan a new mission with a later time.',
    zh: '请新建任务并设置更晚的时间。',
  },
  sameRtk: {
    retry: 'fix_request',
    en: 'Calibrate both docks with the same RTK source.',
    zh: '请用同一 RTK 源标定两个机场。',
  },
  otherDock: {
    retry: 'fix_request',
    en: 'Check the docks that were chosen: their distance, the battery that the way needs, and the limits.',
    zh: '请检查所选机场：距离、所需电量及飞行限制。',
  },

  fixRoute: { retry: 'fix_route', en: 'Correct the wayline and upload it again.', zh: '请修正航线并重新上传。' },
  fixRouteFile: {
    retry: 'fix_route',
    en: 'Export the wayline file again and upload it.',
    zh: '请重新导出航线文件并上传。',
  },
  moveRoute: {
    retry: 'fix_route',
    en: 'Lead the wayline clear of zones and obstacles.',
    zh: '请调整航线以避开限飞区和障碍物。',
  },

  seeDock: { retry: 'on_site', en: 'Have the dock checked on site.', zh: '请到现场检查机场。' },
  seeAircraft: { retry: 'on_site', en: 'Have the aircraft checked on site.', zh: '请到现场检查飞行器。' },
  placeAircraft: {
    retry: 'on_site',
    en: 'Have the aircraft put on the pad of the dock.',
    zh: '请到现场将飞行器正确放置在停机坪上。',
  },
  findAircraft: {
    retry: 'on_site',
    en: 'Find the aircraft and bring it back into the dock.',
    zh: '请找到飞行器并放回机场。',
  },
  clearPad: {
    retry: 'on_site',
    en: 'Have the dock to land on cleared.',
    zh: '请到现场清空降落机场。',
  },
  calibrate: {
    retry: 'on_site',
    en: 'Have the position of the dock calibrated on site.',
    zh: '请到现场标定机场位置。',
  },

  replaceBattery: {
    retry: 'on_site',
    en: 'Have the battery of the aircraft replaced.',
    zh: '请到现场更换飞行器电池。',
  },
  fitCellular: {
    retry: 'on_site',
    en: 'Have the cellular module fitted and given an active SIM card or eSIM.',
    zh: '请到现场安装蜂窝模块，并插入或激活 SIM 卡。',
  },
  registerAircraft: {
    retry: 'on_site',
    en: 'Have the aircraft registered under the name of its owner with a remote control.',
    zh: '请到现场用遥控器完成飞行器实名登记。',
  },

  unsupported: {
    retry: 'never',
    en: 'Check the state of the dock: it cannot do this in it.',
    zh: '当前状态不支持该操作，请检查机场状态。',
  },
  alreadyFlies: {
    retry: 'never',
    en: 'Do not start it again: the aircraft may be in the air.',
    zh: '请勿重复启动：飞行器可能已在空中。',
  },
  returnInstead: {
    retry: 'never',
    en: 'Send the aircraft home instead, since the mission runs.',
    zh: '任务正在执行，请改用返航。',
  },
  notFlying: {
    retry: 'never',
    en: 'Look at the mission: nothing flies that could be changed.',
    zh: '没有正在飞行的任务，请查看任务状态。',
  },
  resumeWanted: {
    retry: 'never',
    en: 'Resume from the breakpoint when the flight is wanted again.',
    zh: '需要继续时，请从断点续飞。',
  },
  takeControl: {
    retry: 'never',
    en: 'Resume from the breakpoint when nobody else controls the aircraft.',
    zh: '待他人释放控制权后，请从断点续飞。',
  },
} as const satisfies Readonly<Record<string, Advice & { readonly retry: Retry }>>;

export type AdviceKey = keyof typeof table;
export const ADVICE: Readonly<Record<AdviceKey, Advice & { readonly retry: Retry }>> = table;
