import { encodeReply } from '@aerie/dji-protocol';
import type { MissionProgress } from './reported-progress.js';

/** Nobody has this flight. [Cloud API, result codes: 319003 unknown mission id] */
const UNKNOWN_MISSION = 319_003;
/** The file cannot be handed out now. [Cloud API, result codes: 314013] */
const NO_FILE = 314_013;

/** What another dock of the organisation reported last. [Cloud API 1.11, flighttask_progress_get] */
export function progressAnswer(missionId: string, { status, currentStep, percent }: MissionProgress): unknown {
  const progress = {
    ...(currentStep === null ? {} : { current_step: currentStep }),
    ...(percent === null ? {} : { percent }),
  };
  return encodeReply('requests_reply', 'flighttask_progress_get', {
    result: 0,
    output: { flight_id: missionId, progress, status },
  });
}

/** [Cloud API 1.11, flighttask_progress_get] */
export function noProgressAnswer(): unknown {
  return encodeReply('requests_reply', 'flighttask_progress_get', { result: UNKNOWN_MISSION });
}

/** [Cloud API, flighttask_resource_get] */
export function noFileAnswer(why: 'unknown_mission' | 'cannot_be_read'): unknown {
  const result = why === 'unknown_mission' ? UNKNOWN_MISSION : NO_FILE;
  return encodeReply('requests_reply', 'flighttask_resource_get', { result });
}
