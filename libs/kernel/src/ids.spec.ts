import { isSerialNumber, isUuid } from './ids.js';

describe('a serial number', () => {
  it.each(['4TADL210020011', 'DOCK-SN-001', 'SN_DOCK_FIXTURE', 'a', 'x'.repeat(64)])('may be %s', (text) => {
    expect(isSerialNumber(text)).toBe(true);
  });

  it.each(['', 'x'.repeat(65), 'a.b', 'a b', '*', '>', '+', '#', 'a/b', '$SYS', 'é', 'a\n'])(
    'may not be %j',
    (text) => {
      expect(isSerialNumber(text)).toBe(false);
    },
  );
});

describe('a UUID', () => {
  it('may be written in capitals', () => {
    expect(isUuid('6F9619FF-8B86-D011-B42D-00C04FC964FF')).toBe(true);
  });

  it.each(['', '6f9619ff8b86d011b42d00c04fc964ff', '{6f9619ff-8b86-d011-b42d-00c04fc964ff}', 'g'.repeat(36)])(
    'is not %j',
    (text) => {
      expect(isUuid(text)).toBe(false);
    },
  );
});
