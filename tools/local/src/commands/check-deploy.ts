export { checkDeploy } from '@aerie/deploy';
