import { dockAcls } from './dock-acls.js';

it('allows no wildcard, no shared subscription and nothing under another serial number', () => {
  for (const { acltype, topic } of dockAcls('SN-1', ['AIR-1'])) {
    if (acltype === 'unsubscribePattern') continue;
    expect(topic).not.toMatch(/[+#$]/);
    expect(topic).toMatch(/^(thing|sys)\/product\/(SN-1|AIR-1)\//);
  }
});

it('lets a dock write no command, neither under its own serial number nor under its aircraft’s', () => {
  const writes = dockAcls('SN-1', ['AIR-1']).filter(({ acltype }) => acltype === 'publishClientSend');
  expect(writes.some(({ topic }) => topic.endsWith('/services'))).toBe(false);
});

it('lets a dock hear only what is meant for it', () => {
  const reads = dockAcls('SN-1', []).filter(({ acltype }) => acltype === 'publishClientReceive');
  expect(reads.map(({ topic }) => topic).sort()).toEqual(
    [
      'sys/product/SN-1/status_reply',
      'thing/product/SN-1/drc/down',
      'thing/product/SN-1/events_reply',
      'thing/product/SN-1/property/set',
      'thing/product/SN-1/requests_reply',
      'thing/product/SN-1/services',
      'thing/product/SN-1/state_reply',
    ].sort(),
  );
});

it('lets a dock with one aircraft write to eleven topics, and to three more for each further aircraft', () => {
  const writable = (aircraft: readonly string[]): number =>
    dockAcls('SN-1', aircraft).filter(({ acltype }) => acltype === 'publishClientSend').length;
  expect([writable(['AIR-1']), writable(['AIR-1', 'AIR-2'])]).toEqual([11, 14]);
});
