import { PackedJson } from '@aerie/persistence';

/** A `file_upload_callback` as docks usually send it. Fixed for ever, since rows were packed by it. */
export const REPORT_WORDS_1 =
  '{"result":0,"file":{"object_key":"/DJI_202_0001_V.jpegT.jpeg","path":"","name":"DJI_202_0001_W.jpeg","ext":{"flight_id":"",' +
  '"drone_model_key":"0-67-0","0-77-1","0-91-1","0-100-1","payload_model_key":"1-53-0","1-81-0","1-98-0","is_original":true},' +
  '"metadata":{"gimbal_yaw_degree":"-0.0","absolute_altitude":0.0,"relative_altitude":0.0,"create_time":"2026-01-01T00:00:00.000Z",' +
  '"shoot_position":{"lat":0.0,"lng":0.0}},"cloud_to_cloud_id":"DEFAULT"},' +
  '"flight_task":{"uploaded_file_count":1,"expected_file_count":1,"flight_type":0}}';

const packedReport = new PackedJson(1, REPORT_WORDS_1);

/** How its row names the file and its flight. */
interface Named {
  readonly objectKey: string;
  readonly flightId: string | null;
}

/** What stands in the row beside it. */
const words = ({ objectKey, flightId }: Named): string => `${objectKey}${flightId ?? ''}`;

/** What a dock said of a file, without what each of them says, and what its row has in other columns. */
export const packReport = (claim: Named, reported: unknown): Buffer => packedReport.pack(reported, words(claim));

export const unpackReport = (claim: Named, packed: Buffer): unknown => packedReport.unpack(packed, words(claim));
