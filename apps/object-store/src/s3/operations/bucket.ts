import { type Operation, allowParameters, demand, sendXml } from '../exchange.js';
import { listObjects } from '../list-objects.js';
import { escapeXml } from '../xml.js';

export const headBucket: Operation = async (services, exchange) => {
  demand(services, exchange, 's3:ListBucket', '');
  allowParameters(exchange.request.query, []);
  exchange.response.writeHead(200, { 'x-amz-bucket-region': services.region }).end();
};

export const listBucket: Operation = async (services, exchange) => {
  const { bucket, query } = exchange.request;
  demand(services, exchange, 's3:ListBucket', query.get('prefix') ?? '');
  sendXml(exchange.response, 200, listObjects(services.store, bucket, query));
};

export const getBucketLocation: Operation = async (services, exchange) => {
  demand(services, exchange, 's3:GetBucketLocation');
  allowParameters(exchange.request.query, ['location']);
  // The first region of S3 has no name here. [S3, GetBucketLocation]
  const region = services.region === 'us-east-1' ? '' : services.region;
  sendXml(
    exchange.response,
    200,
    `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${escapeXml(region)}</LocationConstraint>`,
  );
};
