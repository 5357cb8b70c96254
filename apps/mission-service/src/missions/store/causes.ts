import type { CauseCode } from '@aerie/mission-core';

/** Why a mission ended or waits, one sentence for each code. */
export const CAUSES: Readonly<Record<CauseCode, string>> = {
  prepare_no_reply: 'the dock did not answer the prepare',
  prepare_refused: 'the dock refused the prepare',
  execute_refused: 'the dock refused to start',
  never_ready: 'the conditions did not hold within the window',
  window_closed: 'its time passed before it could start',
  start_deadline_passed:
    'it was to start at once, and its start deadline passed first; plan it again if it is still wanted',
  dock_offline: 'the dock was not heard lately',
  dock_busy: 'the dock does something else',
  dock_unknown_state: 'a person must first resolve a mission of this dock of which nobody knows the end',
  send_refused: 'the start was not sent, which is proven',
  preflight_no_go: 'a rule of preflight says no',
  dock_forgot_task: 'the dock no longer knew the mission',
  file_unavailable: 'the file is not the one that the dock accepted',
  not_started: 'the dock was told to start and did not',
  seen_over: 'its dock was seen at rest with the aircraft inside, and nobody told how the flight ended',
  not_observed: 'nothing was heard or seen of it for too long',
  canceled_by_operator: 'a person canceled it',
  undo_unconfirmed: 'it was canceled; the dock never confirmed that it forgot it',
  reported_by_dock: 'the dock said so',
};

export const CAUSE_CODES = Object.keys(CAUSES) as [CauseCode, ...CauseCode[]];
