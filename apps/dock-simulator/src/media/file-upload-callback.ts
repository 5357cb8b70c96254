import { headingDegrees } from '../geo.js';
import { aircraftModels } from '../models.js';
import { aircraftKey } from '../osd.js';
import type { DockSettings } from '../settings.js';
import type { MediaFile } from './media-file.js';

type Teller = Pick<DockSettings, 'aircraft' | 'position' | 'dialect'>;

/** The body of `file_upload_callback`: this file is in the storage, under this key. */
export function fileUploadCallbackData(file: MediaFile, key: string, teller: Teller): unknown {
  const { flight, name, place, takenAtMs } = file;
  const { aircraft, position, dialect } = teller;
  const yaw = headingDegrees(position, place);
  const takenAt = new Date(takenAtMs).toISOString();
  const common = { object_key: key, path: flight.folder, name };
  const ext = {
    flight_id: flight.flightId,
    drone_model_key: aircraftKey(aircraft),
    payload_model_key: `1-${aircraftModels[aircraft].camera}-0`,
  };
  const where = {
    absolute_altitude: position.heightMeters + place.elevationMeters,
    relative_altitude: place.elevationMeters,
    shoot_position: { lat: place.latitude, lng: place.longitude },
  };
  if (dialect === 'seed') {
    // [Cloud API 1.3.0] no `file` level, another name for the time and no zone in it, degrees as text, a flag as number.
    const created_time = takenAt.slice(0, 19).replace('T', ' ');
    const metadata = { gimbal_yaw_degree: yaw.toFixed(2), created_time, ...where };
    return { ...common, ext: { ...ext, is_original: 1 }, metadata };
  }
  const metadata = { gimbal_yaw_degree: Math.round(yaw * 10) / 10, create_time: takenAt, ...where };
  return {
    result: 0,
    file: { ...common, ext: { ...ext, is_original: true }, metadata, cloud_to_cloud_id: 'DEFAULT' },
    flight_task: {
      uploaded_file_count: flight.uploadedCount,
      expected_file_count: flight.expectedCount,
      flight_type: 0,
    },
  };
}
