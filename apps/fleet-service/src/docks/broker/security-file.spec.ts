import { dockAcls } from '../dock/dock-acls.js';
import { withDocks } from './security-file.js';

const before = {
  defaultACLAccess: { subscribe: false },
  clients: [
    { username: 'ingress', password: 'kept' },
    { username: 'D-1', password: 'old' },
  ],
  roles: [
    { rolename: 'ingress', acls: [] },
    { rolename: 'dock-D-1', acls: [] },
  ],
};

it('keeps everybody else and replaces the docks that it is given', () => {
  const after = withDocks(before, [{ sn: 'D-1', aircraftSns: ['A-1'], mqttPassword: 'the password' }]);
  expect(after.defaultACLAccess).toEqual(before.defaultACLAccess);
  expect(after.clients).toEqual([
    before.clients[0],
    {
      username: 'D-1',
      roles: [{ rolename: 'dock-D-1' }],
      salt: expect.any(String),
      password: expect.any(String),
      iterations: 101,
    },
  ]);
  expect(after.roles).toEqual([before.roles[0], { rolename: 'dock-D-1', acls: dockAcls('D-1', ['A-1']) }]);
});

it('never writes a password in clear', () => {
  const after = withDocks(before, [{ sn: 'D-2', aircraftSns: [], mqttPassword: 'canary-password' }]);
  expect(JSON.stringify(after)).not.toContain('canary-password');
});
