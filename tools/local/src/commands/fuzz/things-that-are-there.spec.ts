import { withKnownIds } from './things-that-are-there.js';

const document = {
  paths: {
    '/api/v1/docks/{sn}': { get: { parameters: [{ in: 'path', name: 'sn', schema: { type: 'string' } }] } },
    '/api/v1/missions/{id}/cancel': { post: { parameters: [{ in: 'path', name: 'id', schema: { type: 'string' } }] } },
    '/api/v1/log-files': {
      get: {
        parameters: [
          { in: 'query', name: 'dockSn', schema: { type: 'string' } },
          { in: 'query', name: 'id', schema: { type: 'integer' } },
        ],
      },
    },
  },
  components: { schemas: { NewMission: { properties: { dockSn: { type: 'string' }, name: { type: 'string' } } } } },
};
const either = (...ids: string[]) => ({ anyOf: [{ type: 'string', enum: ids }, { type: 'string' }] });

it('offers ids of things that are there wherever a thing is named, beside what the document says', () => {
  const offered = withKnownIds(document, { docks: ['D-1', 'D-2'], missions: ['m-1'] });
  expect(offered.paths['/api/v1/docks/{sn}'].get.parameters[0]?.schema).toEqual(either('D-1', 'D-2'));
  expect(offered.paths['/api/v1/missions/{id}/cancel'].post.parameters[0]?.schema).toEqual(either('m-1'));
  expect(offered.paths['/api/v1/log-files'].get.parameters).toMatchObject([
    { schema: either('D-1', 'D-2') },
    { schema: { type: 'integer' } },
  ]);
  expect(offered.components.schemas.NewMission.properties).toEqual({
    dockSn: either('D-1', 'D-2'),
    name: { type: 'string' },
  });
});

it('leaves a document alone of whose things none is there', () => {
  expect(withKnownIds(document, { docks: [] })).toEqual(document);
});
