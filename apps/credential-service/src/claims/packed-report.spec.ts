import { createHash, randomUUID } from 'node:crypto';
import { REPORT_WORDS_1, packReport, unpackReport } from './packed-report.js';

const claim = { objectKey: `org/${randomUUID()}/media/DOCK-1/DJI_20261130_0007_V.jpeg`, flightId: randomUUID() };
const reported = {
  result: 0,
  file: {
    ...{ object_key: claim.objectKey, path: 'DJI_20261130', name: 'DJI_20261130_0007_V.jpeg' },
    ext: { flight_id: claim.flightId, drone_model_key: '0-91-1', payload_model_key: '1-81-0', is_original: true },
    metadata: {
      ...{ gimbal_yaw_degree: 71.3, absolute_altitude: 541.2, relative_altitude: 61.2 },
      ...{ create_time: '2026-11-30T09:14:03.120Z', shoot_position: { lat: 46.519731, lng: 6.632355 } },
    },
    cloud_to_cloud_id: 'DEFAULT',
  },
  flight_task: { uploaded_file_count: 3, expected_file_count: 10, flight_type: 0 },
};

it('gives back what a dock said as it was, whatever that is', () => {
  for (const said of [reported, { file: { object_key: 'Ø', ours: [1, null] } }, {}, 'nothing'])
    expect(unpackReport(claim, packReport(claim, said))).toEqual(said);
  const byHand = { objectKey: 'key', flightId: null };
  expect(unpackReport(byHand, packReport(byHand, reported))).toEqual(reported);
});

it('takes less than a third of the room for a usual file', () => {
  expect(packReport(claim, reported).length).toBeLessThan(JSON.stringify(reported).length / 3);
});

it('keeps the words by which rows were packed', () => {
  // Others make them unreadable: they need a number of their own.
  expect(createHash('sha256').update(REPORT_WORDS_1).digest('hex')).toBe(
    'debce5b5481385d224c378f787f56d4c7dcaaec18409fff43a533dc3ff761f36',
  );
});
