import type { CauseCode } from '@aerie/mission-core';
import type { z } from 'zod';
import type { dockErrorSchema } from './fields.schema.js';

/** In words, with what the operator can do; of the same form as the words for a dock's number. */
export type CauseText = z.output<typeof dockErrorSchema>;

/** Why a mission ended or waits. */
export const CAUSES: Readonly<Record<CauseCode, CauseText>> = {
  prepare_no_reply: {
    en: 'The dock got the mission and did not answer.',
    zh: '机场收到任务但未答复。',
    retry: 'now',
    advice: {
      en: 'Plan it again; if it repeats, look at the dock and restart it.',
      zh: '请重新下发；若再次出现，请检查并重启机场。',
    },
  },
  prepare_refused: {
    en: 'The dock refused the mission as it was told of it.',
    zh: '机场拒绝接收该任务。',
    retry: 'fix_request',
    advice: { en: 'See what the number of the dock says.', zh: '请查看机场返回的错误码说明。' },
  },
  execute_refused: {
    en: 'The dock refused to start.',
    zh: '机场拒绝起飞。',
    retry: 'later',
    advice: { en: 'See what the number of the dock says.', zh: '请查看机场返回的错误码说明。' },
  },
  never_ready: {
    en: 'The conditions did not hold within the window.',
    zh: '在时间窗口内未满足执行条件。',
    retry: 'later',
    advice: {
      en: 'Plan it with a longer window or a lower charge.',
      zh: '请延长时间窗口或降低电量要求后重新下发。',
    },
  },
  window_closed: {
    en: 'Its time passed before it could start.',
    zh: '任务未能在规定时间内开始。',
    retry: 'now',
    advice: { en: 'Plan it for another time.', zh: '请另选时间重新下发。' },
  },
  start_deadline_passed: {
    en: 'It was to start at once, and its start deadline passed first.',
    zh: '任务要求立即执行，但已超过最晚开始时间。',
    retry: 'now',
    advice: { en: 'Plan it again if it is still wanted.', zh: '如仍需执行，请重新下发。' },
  },
  dock_offline: {
    en: 'The dock is not connected, or was not heard lately.',
    zh: '机场未连接，或近期没有上报数据。',
    retry: 'on_site',
    advice: { en: 'Check its power and its network.', zh: '请检查机场的电源和网络。' },
  },
  dock_busy: {
    en: 'The dock does something else.',
    zh: '机场正在执行其他操作。',
    retry: 'later',
    advice: { en: 'Wait until it is free, then plan it again.', zh: '请等待机场空闲后重新下发。' },
  },
  dock_cut_off: {
    en: 'The dock is cut off for a while, because it sent far more than its share.',
    zh: '机场发送的数据远超限额，已被暂时断开。',
    retry: 'later',
    advice: {
      en: 'Find out why it sends so much; see cutOff of GET /docks/{sn} for when it comes back, or end it there.',
      zh: '请排查机场为何发送过多数据；恢复时间见 GET /docks/{sn} 的 cutOff，也可在此提前恢复。',
    },
  },
  dock_fault: {
    en: 'The dock is not in order: somebody works on it, or has to.',
    zh: '机场处于调试、升级、待标定或故障状态。',
    retry: 'on_site',
    advice: {
      en: 'End the debugging or the upgrade, calibrate the dock, or have its aircraft looked at.',
      zh: '请结束调试或升级、完成标定，或检查飞行器。',
    },
  },
  dock_retired: {
    en: 'The dock is no longer in service: it was retired, or its serial number was corrected.',
    zh: '该机场已停用，或其序列号已更正。',
    retry: 'never',
    advice: {
      en: 'Plan it for a dock that is in service (GET /docks); register this one again if it was retired by mistake.',
      zh: '请为在用的机场重新下发（GET /docks）；如误停用，请重新注册该机场。',
    },
  },
  dock_unknown_state: {
    en: 'Nobody knows how an earlier mission of this dock ended.',
    zh: '该机场此前有任务结果未知。',
    retry: 'on_site',
    advice: {
      en: 'Look at the dock, resolve that mission (POST /missions/{id}/resolve), then plan this one again.',
      zh: '请查看机场并确认该任务的结果（POST /missions/{id}/resolve），然后重新下发。',
    },
  },
  send_refused: {
    en: 'Nothing was sent to the dock, which is proven.',
    zh: '指令未发送给机场（已确认）。',
    retry: 'now',
    advice: {
      en: 'Plan it again; if it repeats, see the commands of the mission for the reason, and check the clocks of the servers.',
      zh: '请重新下发；若再次出现，请查看任务的指令记录，并检查服务器时钟。',
    },
  },
  preflight_no_go: {
    en: 'A rule of preflight says no.',
    zh: '飞行前检查未通过。',
    retry: 'later',
    advice: { en: 'Do what the failed rules ask for.', zh: '请按未通过的检查项处理。' },
  },
  dock_forgot_task: {
    en: 'The dock no longer knew the mission.',
    zh: '机场已丢失该任务。',
    retry: 'now',
    advice: {
      en: 'Plan it again; a dock that forgets each time needs a restart.',
      zh: '请重新下发；若反复出现，请重启机场。',
    },
  },
  file_unavailable: {
    en: 'The file of the route is not the one that the dock accepted.',
    zh: '航线文件与机场已接收的不一致。',
    retry: 'fix_route',
    advice: { en: 'Upload the route again and plan a new mission.', zh: '请重新上传航线并新建任务。' },
  },
  not_started: {
    en: 'The dock was told to start and did not.',
    zh: '机场收到起飞指令但未起飞。',
    retry: 'now',
    advice: { en: 'Look at the dock, then plan it again.', zh: '请检查机场后重新下发。' },
  },
  seen_over: {
    en: 'Its dock was seen at rest with the aircraft inside, and nobody told how the flight ended.',
    zh: '已确认飞行器在机场内，但机场未上报飞行结果。',
    retry: 'now',
    advice: {
      en: 'See whether the pictures are there; collect the logs of the dock.',
      zh: '请确认媒体文件是否完整，并收集机场日志。',
    },
  },
  not_observed: {
    en: 'Nothing was heard or seen of it for too long.',
    zh: '长时间没有该飞行的任何消息。',
    retry: 'on_site',
    advice: {
      en: 'Find out where the aircraft is, then resolve the mission (POST /missions/{id}/resolve).',
      zh: '请确认飞行器位置，然后确认任务结果（POST /missions/{id}/resolve）。',
    },
  },
  canceled_by_operator: {
    en: 'A person canceled it.',
    zh: '任务被人工取消。',
    retry: 'never',
    advice: { en: 'Nothing needs to be done.', zh: '无需处理。' },
  },
  undo_unconfirmed: {
    en: 'It was canceled; the dock never confirmed that it forgot it.',
    zh: '任务已取消，但机场未确认删除。',
    retry: 'never',
    advice: {
      en: 'Nothing can fly, since it was never started; check the network of the dock.',
      zh: '任务从未开始，不会起飞；请检查机场网络。',
    },
  },
  restored: {
    en: 'The database was restored from a backup, and the start may have been sent after the backup was made.',
    zh: '数据库已从备份恢复，备份之后可能已发送起飞指令。',
    retry: 'on_site',
    advice: {
      en: 'Find out whether the dock flew it, resolve the mission (POST /missions/{id}/resolve), then plan it again if it is still wanted.',
      zh: '请确认机场是否已执行该任务，确认结果（POST /missions/{id}/resolve），如仍需执行请重新下发。',
    },
  },
  approval_missing: {
    en: 'Nobody else approved it in time.',
    zh: '未能在规定时间内获得他人批准。',
    retry: 'now',
    advice: {
      en: 'Plan it again, and ask another person who may approve missions.',
      zh: '请重新下发，并请另一位有批准权限的人员批准。',
    },
  },
  approval_refused: {
    en: 'A person refused to approve it.',
    zh: '任务未获批准。',
    retry: 'fix_request',
    advice: {
      en: 'See the reason in approval, and plan it differently.',
      zh: '请查看 approval 中的原因，修改后重新下发。',
    },
  },
  reported_by_dock: {
    en: 'The dock told how it ended.',
    zh: '结果由机场上报。',
    retry: 'later',
    advice: {
      en: 'See the state, and what the number of the dock says.',
      zh: '请查看任务状态和机场返回的错误码说明。',
    },
  },
};

export const CAUSE_CODES = Object.keys(CAUSES) as [CauseCode, ...CauseCode[]];
