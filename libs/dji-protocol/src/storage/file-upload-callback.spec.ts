import { encodeReply } from '../encode.js';
import { accepted, aMessage, dataOf, FLIGHT_ID, reasonFor } from '../fixtures/messages.js';

const KEY = 'org/1/dock/D/media/DJI_202601311200_001/DJI_0001_V.jpeg';
const file = {
  object_key: KEY,
  path: 'DJI_202601311200_001',
  name: 'DJI_0001_V.jpeg',
  ext: { flight_id: FLIGHT_ID, drone_model_key: '0-91-1', payload_model_key: '1-81-0', is_original: true },
  metadata: {
    gimbal_yaw_degree: -91.4,
    absolute_altitude: 56.311,
    relative_altitude: 41.124,
    create_time: '2026-01-31T11:59:56.000Z',
    shoot_position: { lat: 22.1, lng: 122.5 },
  },
};
const read = (data: unknown) => dataOf('events', 'file_upload_callback', data);

describe('file_upload_callback', () => {
  it('is read in its newest shape', () => {
    const flight_task = { uploaded_file_count: 1, expected_file_count: 2, flight_type: 0 };
    const data = { result: 0, file: { ...file, cloud_to_cloud_id: 'DEFAULT' }, flight_task };
    expect(read(data)).toEqual(data);
  });

  it('is read in the shape up to 1.3.1, with other spellings of its values (D1, D2, D3)', () => {
    const { create_time: _newer, ...metadata } = file.metadata;
    const old = {
      ...file,
      ext: { ...file.ext, is_original: 1 },
      metadata: { ...metadata, gimbal_yaw_degree: '-91.40', created_time: '2021-05-10 16:04:20' },
    };
    const expected = { ...file, metadata: { ...file.metadata, create_time: '2021-05-10 16:04:20' } };
    expect(read(old)).toEqual({ file: expected });
    expect(read({ ...old, result: 0, progress: 100 })).toEqual({ result: 0, progress: 100, file: expected });
  });

  it.each([
    ['left out', {}],
    ['null', { metadata: null }],
    ['an empty text', { metadata: '' }],
  ])('is read without metadata, which files of RTK have none of: %s', (_, given) => {
    const { metadata: _none, ...rest } = file;
    const data = { file: { ...rest, name: 'DJI_0001.obs', ...given } };
    expect(read(data)).toEqual({ file: { ...rest, name: 'DJI_0001.obs' } });
  });

  it('has no flight when it was flown by hand', () => {
    expect(read({ file: { object_key: KEY, ext: { flight_id: '', is_original: 'false' } } })).toEqual({
      file: { object_key: KEY, ext: { is_original: false } },
    });
  });

  it('takes an empty number for none, because a file is worth more than what is told about it', () => {
    const metadata = { gimbal_yaw_degree: '', shoot_position: { lat: '', lng: '' } };
    expect(read({ file: { object_key: KEY, metadata } })).toEqual({
      file: { object_key: KEY, metadata: { shoot_position: {} } },
    });
  });

  it.each([
    ['no file', {}, 'data.file: expected an object'],
    ['no key', { file: { name: 'a' } }, 'data.file.object_key: expected a string'],
    ['an empty key', { file: { object_key: '' } }, 'data.file.object_key: expected a string'],
  ])('is refused with %s', (_, data, reason) => {
    expect(reasonFor('events', 'file_upload_callback', data)).toContain(reason);
  });

  it('belongs to credential-service, which answers it with a result', () => {
    const message = accepted(aMessage('events', { method: 'file_upload_callback', need_reply: 1, data: { file } }));
    expect(message).toMatchObject({ known: true, owner: 'credential', needReply: true });
    expect(encodeReply('events_reply', 'file_upload_callback', { result: 325_001 })).toEqual({ result: 325_001 });
  });
});
