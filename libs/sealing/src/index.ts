export { FileKeyRing } from './file-key-ring.js';
export { KeyRing, type Sealed } from './key-ring.js';
