import { fileUploadCallbackData } from './file-upload-callback.js';
import { type MediaFile, mediaOf } from './media-file.js';

const home = { latitude: 47, longitude: 8, heightMeters: 400 };
const east = { latitude: 47, longitude: 8.001, elevationMeters: 60 };
const [file] = mediaOf('a-flight', 1, [east, east], Date.UTC(2026, 0, 31, 12)) as [MediaFile];
const told = (dialect: 'newest' | 'seed'): unknown =>
  fileUploadCallbackData(file, 'prefix/key', { aircraft: 'M3TD', position: home, dialect });

describe('file_upload_callback', () => {
  it('tells where the file is and how it was taken', () => {
    expect(told('newest')).toEqual({
      result: 0,
      file: {
        object_key: 'prefix/key',
        path: 'DJI_202601311200_001_a-flight',
        name: 'DJI_20260131115956_0001_V.jpeg',
        ext: { flight_id: 'a-flight', drone_model_key: '0-91-1', payload_model_key: '1-81-0', is_original: true },
        metadata: {
          ...{ gimbal_yaw_degree: 90, absolute_altitude: 460, relative_altitude: 60 },
          create_time: '2026-01-31T11:59:56.000Z',
          shoot_position: { lat: 47, lng: 8.001 },
        },
        cloud_to_cloud_id: 'DEFAULT',
      },
      flight_task: { uploaded_file_count: 0, expected_file_count: 2, flight_type: 0 },
    });
  });

  it('has its members beside each other and other spellings in old firmware (D1, D2, D3, D4)', () => {
    expect(told('seed')).toEqual({
      object_key: 'prefix/key',
      path: 'DJI_202601311200_001_a-flight',
      name: 'DJI_20260131115956_0001_V.jpeg',
      ext: { flight_id: 'a-flight', drone_model_key: '0-91-1', payload_model_key: '1-81-0', is_original: 1 },
      metadata: {
        ...{ gimbal_yaw_degree: '90.00', absolute_altitude: 460, relative_altitude: 60 },
        created_time: '2026-01-31 11:59:56',
        shoot_position: { lat: 47, lng: 8.001 },
      },
    });
  });
});
