export { checkDeploy } from './check/check-deploy.js';
export { staticFindings } from './check/static-findings.js';
export { buildImages, programsOf } from './images/build-images.js';
export { type Engine, findEngine } from './images/engine.js';
export { playKube } from './images/play-kube.js';
export { Site } from './images/site.js';
export { STAND_INS, makeStandIns } from './images/stand-ins.js';
export { type Fleet, type Size, sizeOf } from './size/size.js';
export { describe, sizeTable } from './size/table.js';
